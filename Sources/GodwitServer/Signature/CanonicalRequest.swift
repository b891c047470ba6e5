import Crypto

/// The text that a Signature Version 4 is made of. Source: AWS, "Create a signed AWS API request".
enum CanonicalRequest {
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    /// - Parameter names: the signed headers in lower case, in the order in which the client names them.
    /// - Returns: nil where a named header is not in the request.
    static func text(of request: SignedRequest, signing names: [String], payloadHash: String) -> String? {
        var headers = ""
        for name in names {
            guard let value = request.headerValue(name) else { return nil }
            headers += "\(name):\(value)\n"
        }
        return [
            request.method, path(request.path), query(request.query), headers, names.joined(separator: ";"), payloadHash,
        ].joined(separator: "\n")
    }

    /// Services other than S3 encode the path that was sent once more; an empty path is `/`.
    static func path(_ path: String) -> String {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true)
        var kept: [Substring] = []
        for segment in segments where segment != "." {
            if segment == ".." { _ = kept.popLast() } else { kept.append(segment) }
        }
        let text = "/" + kept.map { encode(Array($0.utf8)) }.joined(separator: "/")
        return path.hasSuffix("/") && text != "/" ? text + "/" : text
    }

    /// Parameters sorted by name and value, each encoded exactly once; the signature itself is no part of it.
    static func query(_ query: String) -> String {
        let pairs = query.split(separator: "&").map { pair -> (String, String) in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (encode(decode(parts[0])), parts.count > 1 ? encode(decode(parts[1])) : "")
        }
        return pairs.filter { $0.0 != "X-Amz-Signature" }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Percent-decoding; `+` stays what it is, a broken escape stays as it stands.
    static func decode(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// RFC 3986: all but letters, digits, `-`, `.`, `_` and `~` as `%XX` in upper case.
    static func encode(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes {
            let scalar = UnicodeScalar(byte)
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "-", ".", "_", "~": text.unicodeScalars.append(scalar)
            default: text += "%" + Hex.text([byte]).uppercased()
            }
        }
        return text
    }
}

enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    static func sha256(_ bytes: [UInt8]) -> String { text(SHA256.hash(data: bytes)) }
}
