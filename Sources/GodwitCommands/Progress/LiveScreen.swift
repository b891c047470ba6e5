/// A block of lines at the bottom of the terminal that is drawn again in place, with other lines scrolling above it.
/// A value that answers with the bytes to write.
struct LiveScreen: Sendable {
    private var height = 0

    /// Replaces the block.
    mutating func draw(_ lines: [String]) -> String {
        let text = erase() + lines.map { "\($0)\n" }.joined()
        height = lines.count
        return text
    }

    /// Writes lines that stay, then the block again below them.
    mutating func scroll(_ text: String, block: [String]) -> String {
        erase() + text + draw(block)
    }

    /// Takes the block away; the cursor stands where it was.
    mutating func erase() -> String {
        defer { height = 0 }
        return height == 0 ? "" : "\u{1B}[\(height)A\r\u{1B}[J"
    }
}
