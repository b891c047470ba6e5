import Synchronization

/// What was made last, as long as what it was made of is the same.
final class KeptRender: Sendable {
    private let kept = Mutex<(mark: String, html: HTML)?>(nil)

    func html(mark: String, _ make: () throws -> HTML) rethrows -> HTML {
        if let kept = kept.withLock({ $0 }), kept.mark == mark { return kept.html }
        let html = try make()
        kept.withLock { $0 = (mark, html) }
        return html
    }
}
