import MySQLTypes
import Testing

@testable import GodwitEngine

/// Which tables belong together where the log does not carry cascades, and what a change of a row does to its children.
@Suite struct CascadeDecisionTests {
    private static func name(_ table: String) -> TableName { TableName(schema: "s", table: table) }

    private static func table(_ own: String, _ keys: [(String, onDelete: String, onUpdate: String)] = [], type: String = "int") -> TableDefinition {
        let columns = ["id", "up"].enumerated().map { ColumnDefinition(name: $1, position: $0, dataType: type, columnType: type, isNullable: false) }
        return TableDefinition(
            name: name(own), engine: "InnoDB", tableCollation: "utf8mb4_bin", columns: columns, indexes: [],
            foreignKeys: keys.enumerated().map {
                ForeignKeyDefinition(
                    name: "f\($0)", columns: ["up"], referenced: name($1.0), referencedColumns: ["ID"], onDelete: $1.onDelete, onUpdate: $1.onUpdate)
            }, createStatement: "")
    }

    private static let tables = [
        table("p"), table("c", [("p", "CASCADE", "RESTRICT")]), table("g", [("c", "NO ACTION", "NO ACTION")]),
        table("x"), table("y", [("x", "RESTRICT", "NO ACTION")]), table("alone"),
        table("self", [("self", "SET NULL", "NO ACTION")]), table("child", [("outside", "CASCADE", "CASCADE")]),
        table("m", [("n", "RESTRICT", "CASCADE")]), table("n", [("m", "RESTRICT", "RESTRICT")]),
    ]

    @Test func components() {
        let found = CascadeComponents.find(Self.tables, logged: false)
        #expect(found == [["c", "g", "p"], ["m", "n"], ["self"]].map { $0.map(Self.name) })
        #expect(CascadeComponents.find(Self.tables, logged: true).isEmpty)
        var folded = Self.tables
        folded[0].name = Self.name("P")
        #expect(CascadeComponents.find(folded, logged: false).count == 2)
        #expect(CascadeComponents.find(folded, logged: false, foldsCase: true).count == 3)
    }

    /// A component is read again as it was and as it is.
    @Test func affected() {
        var now = Self.tables
        now[5] = Self.table("alone", [("p", "CASCADE", "CASCADE"), ("self", "NO ACTION", "NO ACTION")])
        func affected(_ name: String, _ logged: Bool = false) -> Set<TableName> {
            CascadeComponents.affected(by: [Self.name(name)], before: Self.tables, now: now, logged: logged, foldsCase: false)
        }
        #expect(affected("alone") == Set(["alone", "p", "c", "g", "self"].map(Self.name)))
        #expect(affected("c") == affected("alone"))
        #expect(affected("x") == [Self.name("x")])
        #expect(affected("alone", true) == [Self.name("alone")])
    }

    @Test func objections() {
        func objections(_ table: TableDefinition, filtered: String? = nil) -> Int {
            CascadeComponents.objections(
                to: table, among: Self.tables.filter { $0.name != table.name } + [table], isFiltered: { $0.table == filtered }, foldsCase: false
            ).count
        }
        #expect(objections(Self.tables[0]) == 0)
        #expect(objections(Self.tables[2], filtered: "g") == 1)
        #expect(objections(Self.tables[4], filtered: "y") == 0)
        #expect(objections(Self.table("c", [("p", "SET DEFAULT", "CASCADE")])) == 1)
        #expect(objections(Self.table("c", [("p", "CASCADE", "CASCADE")], type: "double")) == 1)
    }

    @Test func effects() {
        let rules = CascadeRules(Self.tables, logged: false, foldsCase: false)
        func effects(_ table: Int, _ before: String?, _ after: String?? = .none) -> [CascadeRules.Effect] {
            var old: [Int: String] = [:]
            old[0] = before
            var new: [Int: String]?
            if let after { new = after.map { [0: $0] } ?? [:] }
            return rules.effects(on: table, before: old, after: new).map(\.effect)
        }
        #expect(effects(0, "1") == [.delete])
        #expect(effects(0, "1", "2") == [])
        #expect(effects(6, "1") == [.update([nil])])
        #expect(effects(6, nil) == [])
        #expect(effects(9, "1", "2") == [.update(["2"])])
        #expect(effects(9, "1", .some(nil)) == [.update([nil])])
        #expect(effects(9, "1", "1") == [])
        #expect(effects(9, "1") == [])
        #expect(rules.tables == [0, 1, 2, 6, 8, 9])
        #expect(rules.loggedParents.isEmpty)
        let logged = CascadeRules(Self.tables, logged: true, foldsCase: false)
        #expect(logged.tables.isEmpty && logged.rules.isEmpty)
        #expect(logged.loggedTwice == [1])
        #expect(logged.loggedParents == [0, 6, 9])
    }
}
