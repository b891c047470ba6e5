import GodwitEngine

/// Hides values in what a run tells while it runs: `migrate --mask`.
struct MaskingObserver: ProgressObserver {
    let inner: any ProgressObserver
    let mask: Mask

    init(_ inner: any ProgressObserver, mask: Mask) {
        self.inner = inner
        self.mask = mask
    }

    func update(_ status: MigrationStatus) { inner.update(mask.status(status)) }
    func say(_ level: String, _ line: String) {
        // Lines of errors name keys and quote what a server said, which quotes values.
        guard !mask.isEmpty, level == "error", let colon = line.firstIndex(of: ":") else { return inner.say(level, line) }
        inner.say(level, line[...colon] + " " + Mask.shown)
    }
    func moment(_ name: String) { inner.moment(name) }
}
