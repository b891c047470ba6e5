/// Colours of a line, or none.
struct Paint: Sendable {
    enum Tone: Sendable, Hashable {
        case plain, good, warning, bad, dim, strong
    }
    var isOn: Bool

    func callAsFunction(_ text: String, _ tone: Tone) -> String {
        guard isOn else { return text }
        switch tone {
        case .plain: return text
        case .good: return "\u{1B}[32m\(text)\u{1B}[0m"
        case .warning: return "\u{1B}[33m\(text)\u{1B}[0m"
        case .bad: return "\u{1B}[31m\(text)\u{1B}[0m"
        case .dim: return "\u{1B}[2m\(text)\u{1B}[0m"
        case .strong: return "\u{1B}[1m\(text)\u{1B}[0m"
        }
    }
}
