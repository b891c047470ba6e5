import Crypto
import Foundation

/// The files that pages refer to. Their addresses change with their content, so browsers may keep them.
struct Assets: Sendable {
    var path: String
    var type: String
    var content: String

    static let style = Assets("console.css", "text/css; charset=utf-8", StyleSheet.text)
    static let script = Assets("console.js", "text/javascript; charset=utf-8", Script.text)
    static let icon = Assets(
        "icon.svg", "image/svg+xml",
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b6e75"/>\
        <path d="M3 11c2-5 4-6 6-3s3 1 4-3" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>
        """)
    static let all = [style, script, icon]

    private init(_ name: String, _ type: String, _ content: String) {
        let hash = SHA256.hash(data: Data(content.utf8)).prefix(6).map { String($0, radix: 36) }.joined()
        path = "/assets/\(hash)/\(name)"
        self.type = type
        self.content = content
    }
}
