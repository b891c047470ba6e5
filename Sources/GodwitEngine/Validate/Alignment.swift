import MySQLTypes

/// At which positions the two sides of a comparison were read. Only with these is "equal" or "unequal" a statement about
/// the data: the stream delivers transactions before the source shows them, so either side may be ahead.
package struct Alignment: Sendable, Hashable, Codable {
    /// Lower bound of what the source's SELECT saw: its `gtid_executed`, read *before* the SELECT (without GTIDs a
    /// position at or before everything visible).
    package var sourceVisible: ReplicationPosition
    /// Upper bound of what the source's SELECT saw, read *after* it: `gtid_owned` and then `gtid_executed`, or the end of
    /// the binlog. Once the target holds this, a difference can't be explained by a change still under way.
    package var sourceUpper: ReplicationPosition
    /// The checkpoint, read in the same snapshot as the target's rows.
    package var checkpoint: ReplicationPosition

    package init(
        sourceVisible: ReplicationPosition, sourceUpper: ReplicationPosition, checkpoint: ReplicationPosition
    ) {
        self.sourceVisible = sourceVisible
        self.sourceUpper = sourceUpper
        self.checkpoint = checkpoint
    }

    /// Both sides were read at or after the mark.
    package func covers(_ mark: MarkPosition) -> Bool { sourceVisible.covers(mark) && checkpoint.covers(mark) }

    /// Both sides were read at or after the position.
    package func covers(_ position: ReplicationPosition) -> Bool {
        sourceVisible.covers(position) && checkpoint.covers(position)
    }

    /// The alignment of several reads, in the order in which they were made: both positions only grow.
    package func extended(by later: Alignment) -> Alignment {
        Alignment(sourceVisible: sourceVisible, sourceUpper: later.sourceUpper, checkpoint: checkpoint)
    }
}

extension ReplicationPosition {
    /// This position and the transaction at `mark`. Of a mark of the other kind nothing can be said: nil.
    package func including(_ mark: MarkPosition) -> ReplicationPosition? {
        switch (self, mark) {
        case (.gtids(var set), .gtid(let gtid)):
            set.insert(gtid)
            return .gtids(set)
        case (.file(let here), .file(let end)): return .file(max(here, end))
        case (.gtids, .file), (.file, .gtid): return nil
        }
    }
}
