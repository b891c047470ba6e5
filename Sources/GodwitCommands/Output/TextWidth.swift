/// How many columns of a terminal a text takes. Table names may be any Unicode; escape sequences are not text.
enum TextWidth {
    static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

    /// Two columns for East Asian wide forms and emoji, one for all else. Combining marks are part of a Character.
    static func of(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }

    /// Control characters (a table name may hold an escape sequence) as `?`, so that no data drives the terminal.
    static func printable(_ text: String) -> String {
        String(
            text.map { character in
                let isControl = character.unicodeScalars.contains { scalar in
                    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                }
                return isControl ? "?" : character
            })
    }

    /// At most `columns` wide; what is cut off is marked.
    static func truncated(_ text: String, to columns: Int, mark: String = "~") -> String {
        guard of(text) > columns else { return text }
        guard columns > of(mark) else { return String(repeating: " ", count: max(0, columns)) }
        var width = of(mark)
        var kept = ""
        for character in text {
            width += of(character)
            if width > columns { break }
            kept.append(character)
        }
        return kept + mark
    }

    static func padded(_ text: String, to columns: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, columns - of(text)))
        return right ? space + text : text + space
    }
}
