/// What every page has around its own part.
struct PageFrame: Sendable {
    var title: String
    /// nil: nobody is signed in.
    var session: Sessions.Session?
    /// The part that stays as it is: headings, forms that are being filled in.
    var head: HTML = ""
    /// The part that is replaced while the page is open: sections with ids, each replaced only where it changed.
    var live: HTML = ""
    /// The address whose events bring new live parts; nil: it does not change.
    var follows: String?

    var html: HTML {
        let account: HTML? = session.map { session in
            """
            <form method="post" action="/sign-out">\(Self.token(session))<button class="quiet">Sign out</button></form>
            """
        }
        let address: HTML? = follows.map { " data-follows=\"\($0)\"" }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title) · Godwit</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
            <link rel="icon" href="\(Assets.icon.path)" type="image/svg+xml"><link rel="stylesheet" href="\(Assets.style.path)">
            <script src="\(Assets.script.path)" defer></script></head>
            <body><a class="skip" href="#main">To the content</a>
            <header><a class="brand" href="/">Godwit</a><nav aria-label="Service">\(session == nil ? "" : Self.home)</nav>\(account)</header>
            <main id="main">\(head)<div id="live"\(address)>\(live)</div></main></body></html>
            """
    }

    private static let home: HTML = "<a href=\"/\">Tasks</a>"

    static func token(_ session: Sessions.Session) -> HTML { "<input type=\"hidden\" name=\"csrf\" value=\"\(session.csrf)\">" }
}

/// Short pages.
enum PlainPages {
    static func message(_ title: String, _ text: String, _ session: Sessions.Session?, back: String = "/") -> HTML {
        PageFrame(title: title, session: session, head: "<h1>\(title)</h1><p class=\"notice bad\" role=\"alert\">\(text)</p><p><a href=\"\(back)\">Back</a></p>").html
    }

    /// - Parameters:
    ///   - form: what the form sends back to show that it is this service's.
    ///   - link: the token of a one-time link, where the page was opened by one.
    static func signIn(form: String, link: String, error: String?) -> HTML {
        let notice: HTML? = error.map { "<p class=\"notice bad\" role=\"alert\">\($0)</p>" }
        let hidden: HTML = "<input type=\"hidden\" name=\"form\" value=\"\(form)\">"
        let byLink: HTML =
            link.isEmpty
            ? ""
            : """
            <form method="post" action="/sign-in" class="card">\(hidden)<input type="hidden" name="token" value="\(link)">
            <p>This link signs in once, within ten minutes of the service's start.</p><button class="main" id="by-link">Sign in</button></form>
            """
        return PageFrame(
            title: "Sign in",
            head: """
                <h1>Sign in</h1>\(notice)\(byLink)
                <form method="post" action="/sign-in" class="card" autocomplete="off">\(hidden)
                <p>By a key of <code>godwit keys create NAME --state DIR</code>:</p>
                <label>Access key id <input name="key" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength="128" required></label>
                <label>Secret <input name="secret" type="password" autocomplete="off" maxlength="256" required></label>
                <button>Sign in by key</button></form>
                """
        ).html
    }
}
