import Foundation
import GRDB
import SystemPackage

/// One stored resource: its document is what the API shows, members that begin with `_` are the service's own.
package struct Resource: Sendable {
    package enum Kind: String, Sendable {
        case subnetGroup = "subgrp", instance = "rep", certificate = "cert", endpoint, task, connection, assessmentRun = "assessment-run", subscription = "es"
    }
    package var kind: Kind
    package var arn: String
    /// Unique within its kind.
    package var identifier: String
    package var document: [String: JSON]
    /// Grows with every resource that is made; lists are in this order.
    package var id: Int64 = 0

    package subscript(_ member: String) -> JSON? {
        get { document[member] }
        set { document[member] = newValue }
    }
    func text(_ member: String) -> String { document[member]?.text ?? "" }

    /// Without the service's own members.
    package var shown: JSON { .object(document.filter { !$0.key.hasPrefix("_") }) }
}

/// What the service must know after a crash: SQLite with a write-ahead log.
package final class StateStore: Sendable {
    package let folder: FilePath
    let pool: DatabasePool
    private let key: MasterKey

    /// Opens the store of a state folder; makes both where they are not there.
    package init(folder: FilePath, masterKeyFile: FilePath? = nil) throws {
        self.folder = folder
        try FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        key = try MasterKey(file: masterKeyFile ?? folder.appending("master.key"))
        let file = folder.appending("godwit.sqlite").string
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        do {
            pool = try DatabasePool(path: file, configuration: configuration)
            try Self.migrator.migrate(pool)
        } catch let error as DatabaseError {
            throw ServerError(
                "The service's state \(file) can't be used: \(error.message ?? "\(error.resultCode)").",
                cure: "Restore the file from a copy, or begin with an empty folder; what is on the targets is not touched by that.")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 resources") { db in
            try db.execute(
                sql: """
                    CREATE TABLE resource (
                      id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, arn TEXT NOT NULL UNIQUE,
                      identifier TEXT NOT NULL, document TEXT NOT NULL, UNIQUE (kind, identifier));
                    CREATE TABLE secret (
                      owner TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (owner, name));
                    CREATE TABLE access_key (
                      access_key TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL, created REAL NOT NULL);
                    CREATE TABLE tag (arn TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, name));
                    CREATE TABLE event (
                      id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, type TEXT NOT NULL, source TEXT NOT NULL,
                      category TEXT NOT NULL, message TEXT NOT NULL);
                    CREATE INDEX event_at ON event (at);
                    CREATE TABLE progress (arn TEXT PRIMARY KEY, snapshot TEXT NOT NULL);
                    """)
        }
        migrator.registerMigration("2 metrics") { db in
            try db.execute(
                sql: """
                    CREATE TABLE metric (
                      period INTEGER NOT NULL, at INTEGER NOT NULL, instance TEXT NOT NULL, task TEXT NOT NULL, stats TEXT NOT NULL,
                      PRIMARY KEY (instance, task, at, period)) WITHOUT ROWID;
                    CREATE INDEX metric_at ON metric (period, at);
                    """)
        }
        return migrator
    }

    // MARK: Resources

    /// - Throws: `ResourceAlreadyExistsFault` where the identifier or the ARN is taken.
    func insert(_ resource: Resource) throws {
        let document = try JSON.object(resource.document).serialized()
        do {
            try pool.write { db in
                try db.execute(
                    sql: "INSERT INTO resource (kind, arn, identifier, document) VALUES (?, ?, ?, ?)",
                    arguments: [resource.kind.rawValue, resource.arn, resource.identifier, document])
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            let other = try find(resource.kind, identifier: resource.identifier)?.arn ?? resource.arn
            throw APIFault.exists("\(resource.identifier) already exists.", arn: other)
        }
    }

    /// Writes the document; a resource that is gone by now stays gone.
    func update(_ resource: Resource) throws {
        let document = try JSON.object(resource.document).serialized()
        do {
            try pool.write { db in
                try db.execute(
                    sql: "UPDATE resource SET document = ?, identifier = ? WHERE arn = ?",
                    arguments: [document, resource.identifier, resource.arn])
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            let other = try find(resource.kind, identifier: resource.identifier)?.arn ?? resource.arn
            throw APIFault.exists("\(resource.identifier) already exists.", arn: other)
        }
    }

    /// With its secrets, tags and progress.
    func delete(_ arn: String) throws {
        try pool.write { db in
            for (table, column) in [("resource", "arn"), ("tag", "arn"), ("progress", "arn"), ("secret", "owner")] {
                try db.execute(sql: "DELETE FROM \(table) WHERE \(column) = ?", arguments: [arn])
            }
        }
    }

    func find(_ arn: String) throws -> Resource? { try resources("arn = ?", [arn]).first }
    func find(_ kind: Resource.Kind, identifier: String) throws -> Resource? {
        try resources("kind = ? AND identifier = ?", [kind.rawValue, identifier]).first
    }
    func all(_ kind: Resource.Kind) throws -> [Resource] { try resources("kind = ?", [kind.rawValue]) }

    private func resources(_ condition: String, _ arguments: [String]) throws -> [Resource] {
        try pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, kind, arn, identifier, document FROM resource WHERE \(condition) ORDER BY id",
                arguments: StatementArguments(arguments)
            ).map { row in
                guard let kind = Resource.Kind(rawValue: row[1]), let document = try JSON.parse(row[4] as String).members else {
                    throw ServerError("The service's state holds a resource that can't be read: \(row[2] as String).")
                }
                return Resource(kind: kind, arn: row[2], identifier: row[3], document: document, id: row[0])
            }
        }
    }

    // MARK: Secrets and keys

    func setSecret(_ secret: String, owner: String, name: String) throws {
        let sealed = try key.seal(secret, for: "\(owner)|\(name)")
        try pool.write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO secret (owner, name, sealed) VALUES (?, ?, ?)", arguments: [owner, name, sealed])
        }
    }

    func secret(owner: String, name: String) throws -> String? {
        let sealed = try pool.read { db in
            try Data.fetchOne(db, sql: "SELECT sealed FROM secret WHERE owner = ? AND name = ?", arguments: [owner, name])
        }
        return try sealed.map { try key.open($0, for: "\(owner)|\(name)") }
    }

    /// A new access key. Both values are letters and digits, safe in any shell.
    package func createKey(name: String) throws -> (accessKey: String, secret: String) {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var random = SystemRandomNumberGenerator()
        let accessKey = "GDWT" + String((0..<16).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
        let secret = String((0..<40).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
        let sealed = try key.seal(secret, for: "key|\(accessKey)")
        do {
            try pool.write { db in
                try db.execute(
                    sql: "INSERT INTO access_key (access_key, name, sealed, created) VALUES (?, ?, ?, ?)",
                    arguments: [accessKey, name, sealed, Date().timeIntervalSince1970])
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw ServerError("There is a key named \(name) already.", cure: "Choose another name.")
        }
        return (accessKey, secret)
    }

    /// nil where there is no such key.
    package func secret(ofKey accessKey: String) throws -> String? {
        let sealed = try pool.read { db in
            try Data.fetchOne(db, sql: "SELECT sealed FROM access_key WHERE access_key = ?", arguments: [accessKey])
        }
        return try sealed.map { try key.open($0, for: "key|\(accessKey)") }
    }

    // MARK: Tags, events, progress

    func tags(of arn: String) throws -> [(name: String, value: String)] {
        try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT name, value FROM tag WHERE arn = ? ORDER BY name", arguments: [arn])
                .map { ($0[0], $0[1]) }
        }
    }

    func setTags(_ tags: [(name: String, value: String)], of arn: String) throws {
        try pool.write { db in
            for tag in tags {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO tag (arn, name, value) VALUES (?, ?, ?)", arguments: [arn, tag.name, tag.value])
            }
        }
    }

    func removeTags(_ names: [String], of arn: String) throws {
        try pool.write { db in
            for name in names { try db.execute(sql: "DELETE FROM tag WHERE arn = ? AND name = ?", arguments: [arn, name]) }
        }
    }

    func addEvent(type: String, source: String, category: String, message: String) throws {
        try pool.write { db in
            try db.execute(
                sql: "INSERT INTO event (at, type, source, category, message) VALUES (?, ?, ?, ?, ?)",
                arguments: [Date().timeIntervalSince1970, type, source, category, message])
            // As long as DMS keeps them.
            try db.execute(sql: "DELETE FROM event WHERE at < ?", arguments: [Date().timeIntervalSince1970 - 14 * 86400])
        }
    }

    struct Event: Sendable {
        var id: Int64
        var at: Double
        var type: String
        var source: String
        var category: String
        var message: String
    }

    func events(from start: Double, to end: Double) throws -> [Event] {
        try pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, at, type, source, category, message FROM event WHERE at >= ? AND at <= ? ORDER BY id",
                arguments: [start, end]
            ).map { Event(id: $0[0], at: $0[1], type: $0[2], source: $0[3], category: $0[4], message: $0[5]) }
        }
    }

    /// The newest event's id; 0: there was none yet.
    func lastEvent() throws -> Int64 {
        try pool.read { db in try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM event") ?? 0 }
    }

    func events(after id: Int64, limit: Int) throws -> [Event] {
        try pool.read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, at, type, source, category, message FROM event WHERE id > ? ORDER BY id LIMIT ?", arguments: [id, limit]
            ).map { Event(id: $0[0], at: $0[1], type: $0[2], source: $0[3], category: $0[4], message: $0[5]) }
        }
    }

    /// Notes what a subscription's webhook has taken; nothing else of the subscription, which may be changed meanwhile.
    func setDelivered(_ event: Int64, of arn: String) throws {
        try pool.write { db in
            try db.execute(
                sql: """
                    UPDATE resource SET document = json_set(document, '$._Delivered', MAX(?, json_extract(document, '$._Delivered'))) WHERE arn = ?
                    """, arguments: [event, arn])
        }
    }

    func setProgress(_ snapshot: String, of arn: String) throws {
        try pool.write { db in
            try db.execute(sql: "INSERT OR REPLACE INTO progress (arn, snapshot) VALUES (?, ?)", arguments: [arn, snapshot])
        }
    }

    func progress(of arn: String) throws -> String? {
        try pool.read { db in try String.fetchOne(db, sql: "SELECT snapshot FROM progress WHERE arn = ?", arguments: [arn]) }
    }

    /// Throws where the state can't be read.
    package func check() throws { _ = try pool.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM resource") } }
}
