import MySQLBinlog
import MySQLTypes

/// A place in the log at which tables of the plan become other tables. Whatever comes behind it is read again once the
/// change is carried out.
package struct DefinitionChange: Sendable, Hashable {
    /// The source's tables that it concerns, among those of the plan (or that the plan would include).
    package var tables: [TableName]
    /// `ALTER TABLE`, or what else was noticed.
    package var what: String
    /// The statement as logged; nil where only rows have shown that a table is another one.
    package var query: QueryEvent?
    /// Seconds since 1970 at which it ran.
    package var timestamp: UInt32
    /// The transaction that it is, by itself; nil inside a larger one (CREATE TABLE … SELECT).
    package var end: TransactionEnd?
    package var coordinates: BinlogCoordinates
    /// The table's changes only mean something exactly once: it is loaded again from an exact snapshot.
    package var needsExactLoad = false

    package init(
        tables: [TableName], what: String, query: QueryEvent?, timestamp: UInt32, end: TransactionEnd?,
        coordinates: BinlogCoordinates
    ) {
        self.tables = tables
        self.what = what
        self.query = query
        self.timestamp = timestamp
        self.end = end
        self.coordinates = coordinates
    }

    package var description: String {
        "\(what) of \(tables.map(\.description).joined(separator: ", ")) at \(coordinates)"
    }
}

/// The tables of the task have changed: everything is read again from the target, and the run goes on from there.
package struct DefinitionsChanged: Error, Sendable {
    /// The only tables of which nothing that was known holds any more; nil: it may be all of them.
    package var only: Set<TableName>?

    package init(only: Set<TableName>? = nil) { self.only = only }
}
