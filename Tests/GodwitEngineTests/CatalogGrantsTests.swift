import Testing

@testable import GodwitEngine

@Suite("What SHOW GRANTS allows")
struct CatalogGrantsTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var grants: [String]
        var privilege: String
        var schema: String?
        var table: String?
        var allowed: Bool
        var partialRevokes = false
        var testDescription: String { "\(privilege) on \(schema ?? "*").\(table ?? "*") by \(grants)" }
    }

    static let to = "TO `u`@`%`"

    @Test(arguments: [
        Row(grants: ["GRANT USAGE ON *.* \(to)"], privilege: "SELECT", schema: "a", table: "t", allowed: false),
        Row(grants: ["GRANT ALL PRIVILEGES ON *.* \(to) WITH GRANT OPTION"], privilege: "SELECT", schema: "a", table: "t", allowed: true),
        Row(grants: ["GRANT ALL PRIVILEGES ON *.* \(to)"], privilege: "REPLICATION SLAVE", allowed: true),
        Row(grants: ["GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* \(to)"], privilege: "replication client", allowed: true),
        Row(grants: ["GRANT XA_RECOVER_ADMIN,BACKUP_ADMIN ON *.* \(to)"], privilege: "BACKUP_ADMIN", allowed: true),
        Row(grants: ["GRANT SELECT ON `a`.* \(to)"], privilege: "SELECT", schema: "a", table: "t", allowed: true),
        Row(grants: ["GRANT SELECT ON `a`.* \(to)"], privilege: "SELECT", schema: "b", table: "t", allowed: false),
        Row(grants: ["GRANT SELECT ON `a`.* \(to)"], privilege: "SELECT", allowed: false),
        Row(grants: ["GRANT SELECT ON `a`.`t` \(to)"], privilege: "SELECT", schema: "a", table: "t", allowed: true),
        Row(grants: ["GRANT SELECT ON `a`.`t` \(to)"], privilege: "SELECT", schema: "a", table: "u", allowed: false),
        Row(grants: ["GRANT SELECT ON `a`.`t` \(to)"], privilege: "SELECT", schema: "a", allowed: false),
        // A privilege on columns is none on the table.
        Row(grants: ["GRANT SELECT (`x`, `y`), INSERT ON `a`.`t` \(to)"], privilege: "SELECT", schema: "a", table: "t", allowed: false),
        Row(grants: ["GRANT SELECT (`x`, `y`), INSERT ON `a`.`t` \(to)"], privilege: "INSERT", schema: "a", table: "t", allowed: true),
        // Wildcards in schema names, and escaped ones.
        Row(grants: ["GRANT SELECT ON `app_1`.* \(to)"], privilege: "SELECT", schema: "appX1", allowed: true),
        Row(grants: ["GRANT SELECT ON `app\\_1`.* \(to)"], privilege: "SELECT", schema: "appX1", allowed: false),
        Row(grants: ["GRANT SELECT ON `app\\_1`.* \(to)"], privilege: "SELECT", schema: "app_1", allowed: true),
        Row(grants: ["GRANT SELECT ON `app%`.* \(to)"], privilege: "SELECT", schema: "application", allowed: true),
        Row(grants: ["GRANT SELECT ON `%app`.* \(to)"], privilege: "SELECT", schema: "my_app", allowed: true),
        Row(grants: ["GRANT SELECT ON `app_1`.* \(to)"], privilege: "SELECT", schema: "appX1", allowed: false, partialRevokes: true),
        Row(grants: ["GRANT SELECT ON `we``ird, ON x`.* \(to)"], privilege: "SELECT", schema: "we`ird, ON x", allowed: true),
        // Partial revokes.
        Row(grants: ["GRANT SELECT ON *.* \(to)", "REVOKE SELECT ON `a`.* FROM `u`@`%`"], privilege: "SELECT", schema: "a", allowed: false, partialRevokes: true),
        Row(grants: ["GRANT SELECT ON *.* \(to)", "REVOKE SELECT ON `a`.* FROM `u`@`%`"], privilege: "SELECT", schema: "b", allowed: true, partialRevokes: true),
        // Roles, routines and proxies are not privileges on tables.
        Row(grants: ["GRANT `select`@`%` \(to)"], privilege: "SELECT", schema: "a", allowed: false),
        Row(grants: ["GRANT EXECUTE ON PROCEDURE `a`.`p` \(to)"], privilege: "EXECUTE", schema: "a", table: "p", allowed: false),
        Row(grants: ["GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION"], privilege: "PROXY", allowed: false),
        Row(grants: ["nonsense '"], privilege: "SELECT", allowed: false),
    ])
    func allows(_ row: Row) {
        let grants = Grants(row.grants, partialRevokes: row.partialRevokes)
        #expect(grants.allows(row.privilege, schema: row.schema, table: row.table) == row.allowed)
    }
}
