extension TaskSettings {
    /// DMS's task-settings JSON, whole or in part. Also returns what is worth a warning: each key that was set to
    /// something else than its default and has no effect.
    package static func parse(
        json: String, file: String
    ) throws(EngineError) -> (settings: TaskSettings, warnings: [String]) {
        let reader = DocumentReader(file: file)
        return try read(JSONDocument.parse(json, reader: reader), reader)
    }

    /// The same from a document: the plan's own `task:`.
    static func read(
        _ node: DocumentNode, _ reader: DocumentReader
    ) throws(EngineError) -> (settings: TaskSettings, warnings: [String]) {
        var settings = TaskSettings()
        var warnings: [String] = []
        let groups = TaskSettingsKeys.groups
        for entry in try reader.entries(node, "The task settings") {
            guard let group = groups[entry.key] else { throw unknown(entry, reader) }
            if entry.value.isNull { continue }
            switch group {
            case .opaque(let isDefault):
                if !isDefault(entry.value) { warnings.append(warning(entry, entry.key, reader)) }
            case .keys(let keys):
                for member in try reader.entries(entry.value, entry.key) {
                    guard let key = keys[member.key] else {
                        throw reader.unknown(member, entry.key, known: keys.keys.sorted())
                    }
                    if member.value.isNull { continue }
                    switch key {
                    case .honoured(let apply): try apply(&settings, member.value, "\(entry.key).\(member.key)", reader)
                    case .ignored(let isDefault):
                        if !isDefault(member.value) {
                            warnings.append(warning(member, "\(entry.key).\(member.key)", reader))
                        }
                    }
                }
            }
        }
        if settings.stopTaskCachedChangesApplied, settings.stopTaskCachedChangesNotApplied {
            throw reader.error(
                node.mark,
                "FullLoadSettings has both StopTaskCachedChangesApplied and StopTaskCachedChangesNotApplied true.",
                cure: "Keep one: the task can stop only once after the load.")
        }
        if settings.errors.goesOn {
            warnings.append(
                "\(reader.file): ErrorBehavior lets the task go on over changes that do not fit the target. Each is recorded there, and its table is not green until it is repaired or loaded again.")
        }
        return (settings, warnings)
    }

    private static func warning(
        _ entry: DocumentNode.Entry, _ name: String, _ reader: DocumentReader
    ) -> String {
        "\(reader.file):\(entry.mark): the task setting \(name) has no effect here and was ignored."
    }

    /// A key in the wrong group is told its group.
    private static func unknown(_ entry: DocumentNode.Entry, _ reader: DocumentReader) -> EngineError {
        for (name, group) in TaskSettingsKeys.groups.sorted(by: { $0.key < $1.key }) {
            if case .keys(let keys) = group, keys[entry.key] != nil {
                return reader.error(
                    entry.mark, "the task setting \(entry.key) stands outside its group.", cure: "Put it into \(name).")
            }
        }
        return reader.unknown(entry, "The task settings", known: TaskSettingsKeys.groups.keys.sorted())
    }
}
