import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Synchronization

/// The pages at `/`: who may see them, which there are, and what may be done on them.
struct Console: Sendable {
    let plane: ControlPlane
    let store: StateStore
    /// Is the listener TLS? Then cookies go over nothing else.
    let isSecure: Bool
    let logger: Logger
    let sessions: Sessions
    let streams = LiveStreams()

    init(plane: ControlPlane, store: StateStore, isSecure: Bool, logger: Logger, sessions: Sessions = Sessions()) {
        self.plane = plane
        self.store = store
        self.isSecure = isSecure
        self.logger = logger
        self.sessions = sessions
    }

    /// The line that tells whoever started the service how to get in.
    func invitation(_ address: String) -> String {
        "Console, this link once within 10 minutes: \(address)/sign-in?token=\(sessions.newLink())"
    }

    func add(to router: Router<BasicRequestContext>) {
        for asset in Assets.all {
            router.get("\(asset.path)") { _, _ in
                var response = Self.answer(.ok, asset.content, type: asset.type)
                response.headers[.cacheControl] = "public, max-age=31536000, immutable"
                return response
            }
        }
        router.get("/sign-in") { request, _ in signInPage(request, error: nil, status: .ok) }
        router.post("/sign-in") { request, _ in try await guarded(nil) { try await signIn(request) } }
        router.post("/sign-out") { request, _ in
            try await posted(request) { _, _ in
                if let token = cookie(request, sessionCookie) { sessions.end(token) }
                var response = Self.redirect("/sign-in")
                response.headers[.setCookie] = "\(sessionCookie)=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
                return response
            }
        }
        page(router, "/") { _, session in try await listPage(session) }
        page(router, "/tasks/:id") { try await overview($0, $1) }
        page(router, "/tasks/:id/statistics") { try await statistics($0, $1) }
        page(router, "/tasks/:id/table") { try await table($0, $1) }
        page(router, "/tasks/:id/monitoring") { try await monitoring($0, $1) }
        page(router, "/tasks/:id/monitoring/:metric") { try await monitoring($0, $1) }
        page(router, "/tasks/:id/logs") { try await logs($0, $1) }
        router.get("/tasks/:id/logs/download") { request, context in
            try await signedIn(request) { session in
                let task = try await task(context.parameters.get("id"))
                var response = Self.answer(.ok, "", type: "text/plain; charset=utf-8")
                response.body = .init(byteBuffer: ByteBuffer(bytes: try LogFiles(folder(task)).bytes()))
                response.headers[.contentDisposition] = "attachment; filename=\"\(Fields.encode(task.name)).log\""
                return response
            }
        }
        router.get("/tasks/:id/confirm") { request, context in
            try await signedIn(request) { session in
                let (task, query) = (try await task(context.parameters.get("id")), Self.query(request))
                guard let action = TaskPages.Action(rawValue: query["action"]) else { throw APIFault.value("There is no such action.") }
                return Self.answer(TaskPages.confirmation(task, action, session, schema: query["schema"], table: query["table"]))
            }
        }
        router.post("/tasks/:id/act") { request, context in
            try await posted(request) { session, form in
                let task = try await task(context.parameters.get("id"))
                try await act(task, form, session)
                return Self.redirect(task.path)
            }
        }
    }

    // MARK: Doors

    var sessionCookie: String { isSecure ? "__Host-godwit" : "godwit" }
    var formCookie: String { isSecure ? "__Host-godwit-form" : "godwit-form" }

    func cookie(_ request: Request, _ name: String) -> String? {
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == name { return parts[1].trimmingCharacters(in: .whitespaces) }
            }
        }
        return nil
    }

    func session(_ request: Request, isUse: Bool = true) -> Sessions.Session? {
        cookie(request, sessionCookie).flatMap { sessions.find($0, isUse: isUse) }
    }

    /// Leads to the sign-in whoever is not signed in.
    func signedIn(_ request: Request, _ body: (Sessions.Session) async throws -> Response) async throws -> Response {
        guard let session = session(request) else { return Self.redirect("/sign-in") }
        return try await guarded(session) { try await body(session) }
    }

    /// A form of a signed-in user, sent from one of this session's own pages.
    func posted(_ request: Request, _ body: (Sessions.Session, Fields) async throws -> Response) async throws -> Response {
        guard let session = session(request) else { return Self.redirect("/sign-in") }
        return try await guarded(session) {
            let form = try await Self.form(request)
            guard Sessions.same(form["csrf"], session.csrf) else {
                return Self.answer(
                    PlainPages.message("Not done", "The form is not one of this sign-in's pages. Open the page again and repeat it.", session), status: .forbidden)
            }
            return try await body(session, form)
        }
    }

    /// Errors become pages.
    func guarded(_ session: Sessions.Session?, _ body: () async throws -> Response) async throws -> Response {
        do {
            return try await body()
        } catch let fault as APIFault {
            let status: HTTPResponse.Status = fault.code == "ResourceNotFoundFault" ? .notFound : .init(code: fault.status)
            return Self.answer(PlainPages.message("Not done", fault.message, session), status: status)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.error("A page of the console failed: \(error)")
            return Self.answer(PlainPages.message("The service failed", "\(error)", session), status: .internalServerError)
        }
    }

    private func signInPage(_ request: Request, error: String?, status: HTTPResponse.Status) -> Response {
        let form = Sessions.token()
        var response = Self.answer(PlainPages.signIn(form: form, link: error == nil ? Self.query(request)["token"] : "", error: error), status: status)
        response.headers[.setCookie] = setCookie(formCookie, form, seconds: 3600)
        return response
    }

    private func signIn(_ request: Request) async throws -> Response {
        let form = try await Self.form(request)
        // Nobody else's page may sign its reader in here.
        guard let own = cookie(request, formCookie), Sessions.same(own, form["form"]) else {
            return signInPage(request, error: "The form was too old. Send this one.", status: .forbidden)
        }
        let token: String
        if !form["token"].isEmpty {
            guard let begun = sessions.signIn(link: form["token"]) else {
                return signInPage(
                    request, error: "The link is used up or too old: it signs in once, within ten minutes of the service's start. Sign in by key, or start the service again.",
                    status: .forbidden)
            }
            token = begun
        } else {
            let secret = try store.secret(ofKey: form["key"])
            guard Sessions.same(secret ?? Sessions.token(), form["secret"]), secret != nil else {
                logger.notice("A sign-in to the console was refused.")
                return signInPage(request, error: "The key is not known, or the secret is not its own.", status: .forbidden)
            }
            token = sessions.begin(form["key"])
        }
        var response = Self.redirect("/")
        response.headers[.setCookie] = setCookie(sessionCookie, token, seconds: Int(Sessions.longest))
        return response
    }

    private func setCookie(_ name: String, _ value: String, seconds: Int) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
    }

    // MARK: Answers

    static func query(_ request: Request) -> Fields {
        let path = request.head.path ?? "/"
        return Fields(path.firstIndex(of: "?").map { path[path.index(after: $0)...] } ?? "")
    }

    private static func form(_ request: Request) async throws -> Fields {
        var body = ByteBuffer()
        for try await piece in request.body {
            body.writeImmutableBuffer(piece)
            guard body.readableBytes <= 64 << 10 else { throw APIFault("RequestEntityTooLargeException", "The form is too large.", status: 413) }
        }
        return Fields(String(buffer: body))
    }

    static func redirect(_ path: String) -> Response {
        var response = answer(.seeOther, "", type: "text/plain; charset=utf-8")
        response.headers[.location] = path
        return response
    }

    static func answer(_ page: HTML, status: HTTPResponse.Status = .ok) -> Response { answer(status, page.text, type: "text/html; charset=utf-8") }

    /// Nothing of another host, nothing inline, no frame around it, no copy kept. Source: OWASP Secure Headers Project.
    static func answer(_ status: HTTPResponse.Status, _ text: String, type: String) -> Response {
        var response = Response(status: status, headers: [.contentType: type, .cacheControl: "no-store"], body: .init(byteBuffer: ByteBuffer(string: text)))
        for (name, value) in [
            ("Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
            // Forms must say where they come from; nobody else is told.
            ("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
        ] {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }
}

/// How many pages are followed at once: each costs a little every second.
final class LiveStreams: Sendable {
    private static let most = 64
    private let count = Mutex(0)
    func enter() -> Bool {
        count.withLock { count in
            guard count < Self.most else { return false }
            count += 1
            return true
        }
    }
    func leave() { count.withLock { $0 -= 1 } }
}
