import Foundation
import Logging

/// A request as it came, to an answer: which service is meant, is it signed, what does it say.
package struct Dispatch: Sendable {
    package struct Answer: Sendable {
        package var status: Int
        package var type: String
        package var body: [UInt8]
        package var headers: [String: String] = [:]
    }

    /// The largest body that any operation needs is a wallet or a mapping document.
    package static let longestBody = 4 << 20
    /// One of AWS's services whose operations are named in a header.
    private struct Service {
        /// What a signature is scoped to.
        var name: String
        var prefix: String
        var version: String
        static let all = [
            Service(name: "dms", prefix: "AmazonDMSv20160101.", version: "1.1"),
            Service(name: "logs", prefix: "Logs_20140328.", version: "1.1"),
            Service(name: "monitoring", prefix: "GraniteServiceVersion20100801.", version: "1.0"),
        ]
        /// CloudWatch's older clients look for the names that its older protocol had.
        var hasQueryErrors: Bool { name == "monitoring" }
    }

    let plane: ControlPlane
    let verifier: SignatureVerifier
    let watch: CloudWatch
    let logs: CloudWatchLogs
    let logger: Logger

    package init(plane: ControlPlane, store: StateStore, logger: Logger) {
        self.plane = plane
        watch = CloudWatch(metrics: MetricStore(store: store))
        logs = CloudWatchLogs(store: store)
        self.logger = logger
        verifier = SignatureVerifier { accessKey in
            do {
                return try store.secret(ofKey: accessKey)
            } catch {
                logger.error("A key could not be read: \(error)")
                return nil
            }
        }
    }

    /// Never throws: whatever goes wrong is an answer.
    package func answer(_ request: SignedRequest) async -> Answer {
        let id = UUID().uuidString.lowercased()
        let target = request.headerValue("x-amz-target") ?? ""
        do {
            return try await served(request, target, id)
        } catch let fault as APIFault {
            var answer = failed(fault, id)
            if Service.all.contains(where: { $0.hasQueryErrors && target.hasPrefix($0.prefix) }) {
                let code = fault.code.hasSuffix("Exception") ? String(fault.code.dropLast(9)) : fault.code
                answer.headers["x-amzn-query-error"] = "\(code);Sender"
            }
            return answer
        } catch let error as SignatureError {
            // IAM answers so: 403, but for what is no signature at all.
            let status = if case .incompleteSignature = error { 400 } else { 403 }
            return failed(APIFault(error.fault, error.description, status: status), id)
        } catch {
            logger.error("\(Self.operation(target) ?? "A request") failed: \(error)", metadata: ["request": "\(id)"])
            return failed(APIFault("InternalFailure", "The service failed: \(error)", status: 500), id)
        }
    }

    private func served(_ request: SignedRequest, _ target: String, _ id: String) async throws -> Answer {
        guard request.body.count <= Self.longestBody else { throw Self.tooLarge }
        let identity = try verifier.verify(request, now: Date())
        let caller = Caller(accessKey: identity.accessKey, region: identity.region)
        if let service = Service.all.first(where: { target.hasPrefix($0.prefix) }) {
            guard identity.service == service.name else {
                throw APIFault(
                    "InvalidSignatureException", "Credential should be scoped to correct service: '\(service.name)'.", status: 403)
            }
            guard let operation = Self.operation(target) else { throw APIFault.unknownOperation("The operation is not known.") }
            let input: JSON
            do {
                input = request.body.isEmpty ? [:] : try JSON.parse(request.body)
            } catch {
                throw APIFault("SerializationException", "The body is no JSON.")
            }
            let output =
                switch service.name {
                case "monitoring": try watch.perform(operation, input, now: Date().timeIntervalSince1970)
                case "logs": try logs.perform(operation, input, caller)
                default: try await plane.perform(operation, input, caller)
                }
            logger.debug("\(operation)", metadata: ["request": "\(id)"])
            return Answer(
                status: 200, type: "application/x-amz-json-\(service.version)", body: try output.bytes(), headers: ["x-amzn-RequestId": id])
        }
        if target.isEmpty, let form = Form(request), form["Action"] == "GetCallerIdentity" {
            guard identity.service == "sts" else {
                throw APIFault("InvalidSignatureException", "Credential should be scoped to correct service: 'sts'.", status: 403)
            }
            return Answer(
                status: 200, type: "text/xml", body: Array(Self.identity(caller.accessKey, id).utf8), headers: ["x-amzn-RequestId": id])
        }
        throw APIFault.unknownOperation("The operation is not known.")
    }

    package static let tooLarge = APIFault(
        "RequestEntityTooLargeException", "A request's body has \(longestBody >> 20) MiB at most.", status: 413)

    package func failed(_ fault: APIFault, _ id: String = UUID().uuidString.lowercased()) -> Answer {
        Answer(
            status: fault.status, type: "application/x-amz-json-1.1", body: (try? fault.body.bytes()) ?? [],
            headers: ["x-amzn-RequestId": id, "x-amzn-ErrorType": fault.code])
    }

    /// The operation's name, where it is one that may be shown: letters and digits.
    private static func operation(_ target: String) -> String? {
        guard let name = target.split(separator: ".", omittingEmptySubsequences: false).last, (1...100).contains(name.utf8.count),
            name.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) })
        else { return nil }
        return String(name)
    }

    /// Source: AWS STS API, GetCallerIdentity. The access key is letters and digits.
    private static func identity(_ accessKey: String, _ id: String) -> String {
        """
        <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>\
        <Arn>arn:aws:iam::\(ControlPlane.account):user/\(accessKey)</Arn><UserId>\(accessKey)</UserId>\
        <Account>\(ControlPlane.account)</Account></GetCallerIdentityResult>\
        <ResponseMetadata><RequestId>\(id)</RequestId></ResponseMetadata></GetCallerIdentityResponse>
        """
    }
}

/// A form's fields, from the body or the query: AWS's query protocol.
struct Form {
    private var fields: [String: String] = [:]

    init?(_ request: SignedRequest) {
        let text = request.body.isEmpty ? request.query : String(decoding: request.body, as: UTF8.self)
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(parts[0])
            fields[name] = parts.count > 1 ? Self.decode(parts[1]) : ""
        }
        guard fields["Action"] != nil else { return nil }
    }

    subscript(name: String) -> String? { fields[name] }

    private static func decode(_ text: Substring) -> String {
        let spaced = text.replacing("+", with: " ")
        return String(decoding: CanonicalRequest.decode(Substring(spaced)), as: UTF8.self)
    }
}
