import MySQLTypes

/// A place in a server's stream of transactions: everything up to it is included.
package enum ReplicationPosition: Hashable, Sendable, CustomStringConvertible {
    case gtids(GTIDSet)
    /// The end of the last included transaction.
    case file(BinlogCoordinates)

    package var isGTIDs: Bool { if case .gtids = self { true } else { false } }

    /// Is the transaction at `mark` included? A mark of the other kind never is: nothing clears by a comparison that
    /// means nothing.
    package func covers(_ mark: MarkPosition) -> Bool {
        switch (self, mark) {
        case (.gtids(let set), .gtid(let gtid)): set.contains(gtid)
        case (.file(let here), .file(let end)): end <= here
        case (.gtids, .file), (.file, .gtid): false
        }
    }

    /// Is everything up to `other` included here?
    package func covers(_ other: ReplicationPosition) -> Bool {
        switch (self, other) {
        case (.gtids(let here), .gtids(let there)): there.isSubset(of: here)
        case (.file(let here), .file(let there)): there <= here
        case (.gtids, .file), (.file, .gtids): false
        }
    }

    /// The GTID set as the server prints it, or `file:offset`.
    package var description: String {
        switch self {
        case .gtids(let set): set.description
        case .file(let coordinates): coordinates.description
        }
    }
}

/// One transaction's place in the stream.
package enum MarkPosition: Hashable, Sendable, CustomStringConvertible {
    case gtid(GTID)
    /// The end of the transaction's last event: comparable with positions between transactions.
    case file(BinlogCoordinates)

    package var description: String {
        switch self {
        case .gtid(let gtid): gtid.description
        case .file(let coordinates): coordinates.description
        }
    }
}

extension ReplicationPosition: Codable {
    private enum CodingKeys: String, CodingKey { case gtids, file, offset }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try values.decodeIfPresent(String.self, forKey: .gtids) {
            do {
                self = .gtids(try GTIDSet(parsing: text))
            } catch {
                throw DecodingError.dataCorruptedError(
                    forKey: .gtids, in: values, debugDescription: "no GTID set: \(error.reason)")
            }
        } else {
            self = .file(
                BinlogCoordinates(
                    file: try values.decode(String.self, forKey: .file),
                    offset: try values.decode(UInt64.self, forKey: .offset)))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .gtids(let set): try values.encode(set.description, forKey: .gtids)
        case .file(let coordinates):
            try values.encode(coordinates.file, forKey: .file)
            try values.encode(coordinates.offset, forKey: .offset)
        }
    }
}
