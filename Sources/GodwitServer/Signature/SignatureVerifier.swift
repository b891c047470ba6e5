import Crypto
import Foundation

/// Verifies AWS Signature Version 4, in the header and in the presigned form. Pure: keys and time come from outside.
/// Source: AWS, "AWS Signature Version 4 for API requests".
package struct SignatureVerifier: Sendable {
    /// How far a request's date may be from this clock: AWS's quarter of an hour, both ways.
    static let window: TimeInterval = 15 * 60
    /// A presigned request may be valid for a week at most.
    static let longestExpiry = 7 * 86400
    private static let algorithm = "AWS4-HMAC-SHA256"

    /// The secret of an access key, nil where there is no such key.
    private let secret: @Sendable (_ accessKey: String) -> String?

    package init(secret: @escaping @Sendable (_ accessKey: String) -> String?) {
        self.secret = secret
    }

    /// Who signed, and for which service and region.
    package struct Identity: Equatable, Sendable {
        package var accessKey: String
        package var region: String
        package var service: String
        package init(accessKey: String, region: String, service: String) {
            self.accessKey = accessKey
            self.region = region
            self.service = service
        }
    }

    /// The parts of a signature, from whichever form it came in.
    struct Claim {
        var accessKey: String
        /// `date/region/service/aws4_request`
        var scope: [String]
        var signedHeaders: [String]
        var signature: String
        /// `YYYYMMDD'T'HHMMSS'Z'`
        var date: String
        /// Seconds; the presigned form only.
        var expires: Int?
        var payloadHash: String
    }

    /// - Throws: `SignatureError`, the first thing that is wrong, in the order in which AWS looks.
    package func verify(_ request: SignedRequest, now: Date) throws(SignatureError) -> Identity {
        let claim: Claim
        if let text = request.headerValue("authorization") {
            claim = try headerClaim(text, request)
        } else {
            claim = try presignedClaim(request)
        }
        guard claim.scope.count == 4, claim.scope[3] == "aws4_request" else {
            throw .incompleteSignature("Credential should be scoped with a valid terminator: 'aws4_request'.")
        }
        guard claim.signedHeaders.contains("host") else {
            throw .incompleteSignature("'Host' must be a 'SignedHeader' in the AWS Authorization.")
        }
        guard let date = Self.parse(claim.date), claim.date.hasPrefix(claim.scope[0]) else {
            throw .incompleteSignature("Date in Credential scope does not match the date of the request.")
        }
        try checkTime(date, claim, now)
        guard let secret = secret(claim.accessKey) else { throw .unrecognizedClient }
        guard
            let canonical = CanonicalRequest.text(
                of: request, signing: claim.signedHeaders, payloadHash: claim.payloadHash)
        else { throw .incompleteSignature("A header that is signed is not in the request.") }
        let key = claim.scope.reduce(SymmetricKey(data: Array("AWS4\(secret)".utf8))) { key, part in
            SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        let toSign = [
            Self.algorithm, claim.date, claim.scope.joined(separator: "/"), Hex.sha256(Array(canonical.utf8)),
        ].joined(separator: "\n")
        guard let signature = Self.bytes(hex: claim.signature),
            // Compares in constant time.
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: Array(toSign.utf8), using: key)
        else { throw .mismatch }
        return Identity(accessKey: claim.accessKey, region: claim.scope[1], service: claim.scope[2])
    }

    private func headerClaim(_ text: String, _ request: SignedRequest) throws(SignatureError) -> Claim {
        guard text.hasPrefix(Self.algorithm) else {
            throw .incompleteSignature("Authorization header requires the algorithm \(Self.algorithm).")
        }
        var fields: [String: String] = [:]
        for part in text.dropFirst(Self.algorithm.count).split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            fields[pair[0].trimmingCharacters(in: .whitespaces)] = pair[1].trimmingCharacters(in: .whitespaces)
        }
        guard let credential = fields["Credential"], let signed = fields["SignedHeaders"], let signature = fields["Signature"]
        else {
            throw .incompleteSignature("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.")
        }
        guard let date = request.headerValue("x-amz-date") else {
            throw .incompleteSignature("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        }
        let (accessKey, scope) = Self.split(credential)
        // What the header says of the body is signed; that it is true is looked at here.
        let hash = Hex.sha256(request.body)
        if let said = request.headerValue("x-amz-content-sha256"), said != hash, said != CanonicalRequest.unsignedPayload {
            throw .mismatch
        }
        return Claim(
            accessKey: accessKey, scope: scope, signedHeaders: signed.split(separator: ";").map(String.init),
            signature: signature, date: date, payloadHash: hash)
    }

    private func presignedClaim(_ request: SignedRequest) throws(SignatureError) -> Claim {
        var fields: [String: String] = [:]
        for pair in request.query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[String(decoding: CanonicalRequest.decode(parts[0]), as: UTF8.self)] = String(
                decoding: CanonicalRequest.decode(parts[1]), as: UTF8.self)
        }
        guard let algorithm = fields["X-Amz-Algorithm"] else { throw .missingAuthenticationToken }
        guard algorithm == Self.algorithm, let credential = fields["X-Amz-Credential"], let date = fields["X-Amz-Date"],
            let signed = fields["X-Amz-SignedHeaders"], let signature = fields["X-Amz-Signature"],
            let expires = fields["X-Amz-Expires"].flatMap(Int.init), (1...Self.longestExpiry).contains(expires)
        else {
            throw .incompleteSignature(
                "A presigned request requires X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date, X-Amz-Expires (1 to 604800 seconds), X-Amz-SignedHeaders and X-Amz-Signature."
            )
        }
        let (accessKey, scope) = Self.split(credential)
        return Claim(
            accessKey: accessKey, scope: scope, signedHeaders: signed.split(separator: ";").map(String.init),
            signature: signature, date: date, expires: expires, payloadHash: Hex.sha256(request.body))
    }

    private func checkTime(_ date: Date, _ claim: Claim, _ now: Date) throws(SignatureError) {
        let age = now.timeIntervalSince(date)
        if age < -Self.window { throw .expired("Signature not yet current: \(claim.date) is later than this server's time.") }
        let longest = claim.expires.map(TimeInterval.init) ?? Self.window
        if age > longest { throw .expired("Signature expired: \(claim.date) is now earlier than what this server accepts.") }
    }

    private static func split(_ credential: String) -> (accessKey: String, scope: [String]) {
        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return (parts[0], Array(parts.dropFirst()))
    }

    /// `YYYYMMDD'T'HHMMSS'Z'`
    static func parse(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            let digits = bytes[range]
            guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
            return Int(String(decoding: digits, as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let parts = DateComponents(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard parts.isValidDate(in: calendar) else { return nil }
        return calendar.date(from: parts)
    }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
