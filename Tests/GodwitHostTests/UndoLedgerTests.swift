import Foundation
import GodwitHost
import GodwitTesting
import Synchronization
import SystemPackage
import Testing

/// The ledger on the disk: written before the change, whole or not at all, for its owner only.
@Suite struct UndoLedgerTests {
    private static func byHand(_ text: String) -> UndoInverse { .byHand(host: "b", instruction: text) }

    @Test func aChangeIsWrittenBeforeItIsMade() async throws {
        try await withTemporaryFolder("undo") { folder in
            let ledger = try UndoLedger(folder: folder.string, host: "a")
            let path = ledger.path
            let seen = try await ledger.perform("one", inverse: Self.byHand("x")) {
                try String(contentsOfFile: path, encoding: .utf8)
            }
            #expect(seen.contains("\"what\":\"one\"") && seen.hasSuffix("\n"))
            #expect(try Stat(FilePath(path)).permissions.rawValue == 0o600)
            struct Failure: Error {}
            await #expect(throws: Failure.self) { try await ledger.perform("two", inverse: Self.byHand("y")) { throw Failure() } }
            let entries = await ledger.entries
            #expect(entries.map(\.state) == [.done, .planned])
            #expect(await ledger.due.map(\.what) == ["two", "one"])
            // A second process is kept out.
            #expect(throws: HostError.self) { try UndoLedger(folder: folder.string) }
        }
    }

    /// Cut off after any byte, the ledger opens, and holds what was whole; it goes on from there.
    @Test func cutOffAnywhere() async throws {
        try await withTemporaryFolder("undo") { folder in
            let bytes: [UInt8]
            do {
                let ledger = try UndoLedger(folder: folder.appending("a").string, host: "a")
                for index in 0..<3 { try await ledger.perform("change \(index)", inverse: Self.byHand("é\(index)")) {} }
                try await ledger.mark(1, .undone)
                bytes = try HostFile.read(ledger.path)
            }
            for length in 0...bytes.count {
                let place = folder.appending("b").string
                try HostFile.makeFolder(place)
                try HostFile.replace(place + "/undo.jsonl", with: Array(bytes[..<length]), .secret)
                do {
                    let ledger = try UndoLedger(folder: place)
                    let whole = bytes[..<length].count { $0 == 10 }
                    // plan, done, plan, done, plan, done, undone
                    #expect(await ledger.entries.count == min(3, (whole + 1) / 2), "\(length)")
                    _ = try await ledger.plan("more", inverse: Self.byHand("z"))
                }
                #expect(try UndoLedger.read(folder: place)?.last?.what == "more")
            }
        }
    }

    @Test func damageInTheMiddleIsNotGuessedAt() async throws {
        try await withTemporaryFolder("undo") { folder in
            let place = folder.appending("a").string
            let path: String
            do {
                let ledger = try UndoLedger(folder: place)
                try await ledger.perform("one", inverse: Self.byHand("x")) {}
                path = ledger.path
            }
            let bytes = try HostFile.read(path)
            try HostFile.replace(path, with: Array("{}\n".utf8) + bytes, .secret)
            #expect(throws: HostError.self) { try UndoLedger(folder: place) }
            // An entry that was taken out.
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            try HostFile.replace(path, with: Array((lines[1] + "\n").utf8), .secret)
            #expect(throws: HostError.self) { try UndoLedger(folder: place) }
        }
    }

    @Test(arguments: [("undo.jsonl", 0o620), ("undo.jsonl", 0o604), (".", 0o720), (".", 0o702)])
    func whatOthersCouldHaveWrittenIsNotPlayed(_ name: String, _ mode: Int) async throws {
        try await withTemporaryFolder("undo") { folder in
            let place = folder.appending("a").string
            do { _ = try UndoLedger(folder: place) }
            #expect(chmod(place + "/" + name, mode_t(mode)) == 0)
            #expect(throws: HostError.self) { try UndoLedger(folder: place) }
        }
    }

    @Test func aLinkIsNoLedger() async throws {
        try await withTemporaryFolder("undo") { folder in
            let place = folder.appending("a").string
            try HostFile.makeFolder(place)
            try FileManager.default.createSymbolicLink(atPath: place + "/undo.jsonl", withDestinationPath: "/dev/null")
            #expect(throws: HostError.self) { try UndoLedger(folder: place) }
        }
    }

    /// A full disk: the change is not made.
    @Test(.enabled(Comment(rawValue: SmallDisk.need)) { await SmallDisk.isPossible() }) func aFullDisk() async throws {
        try await withSmallDisk(megabytes: 1) { disk in
            let ledger = try UndoLedger(folder: disk.path.appending("a").string)
            try await ledger.perform("one", inverse: Self.byHand("x")) {}
            try? Data(count: 2 << 20).write(to: URL(fileURLWithPath: disk.path.appending("filler").string))
            let made = Mutex(false)
            await #expect(throws: HostError.self) {
                for _ in 0..<100 {
                    try await ledger.perform("two", inverse: Self.byHand(String(repeating: "y", count: 4096))) { made.withLock { $0 = true } }
                    made.withLock { $0 = false }
                }
            }
            #expect(!made.withLock { $0 })
        }
    }

    /// A settings file and a made file: played back twice, in any state that a crash can leave.
    @Test(arguments: [false, true]) func playback(_ changeWasMade: Bool) async throws {
        try await withTemporaryFolder("undo") { folder in
            let config = folder.appending("a.rb").string, made = folder.appending("ca.pem").string
            let before = Array("# mysql['port'] = 3306\n".utf8)
            try HostFile.replace(config, with: before, .secret)
            let ledger = try UndoLedger(folder: folder.appending("state").string)
            let file = try ConfigFile(config)
            var edited = try AttributeFile(file.bytes, name: config)
            try edited.set(RubySetting("mysql", "port"), to: .integer(3307))
            let backup = try file.backup(in: ledger.backups)
            let text = edited.text
            let patch = LinePatch(from: before, to: text)
            _ = try await ledger.plan("settings", inverse: .restoreLines(path: config, patch: patch, backup: backup))
            let pem = Array("PEM".utf8)
            _ = try await ledger.plan("certificate", inverse: .removeFile(path: made, hash: LinePatch.hash(pem)))
            _ = try await ledger.plan("bundle", inverse: Self.byHand("rm -r bundle"))
            if changeWasMade {
                try file.replace(with: text)
                try HostFile.create(made, pem)
            }
            let outcomes = try await UndoPlayer().play(ledger)
            #expect(outcomes.map(\.entry.number) == [3, 2, 1])
            #expect(outcomes.map(\.result) == [.elsewhere("on b: rm -r bundle")] + (changeWasMade ? [.undone, .undone] : [.wasGone, .wasGone]))
            #expect(try HostFile.read(config) == before)
            #expect(!HostFile.exists(made))
            let again = try await UndoPlayer().play(ledger)
            #expect(again.map(\.entry.number) == [3])
            #expect(try FileManager.default.contentsOfDirectory(atPath: ledger.backups).isEmpty == changeWasMade)
        }
    }

    /// What somebody changed since is left, and said; the rest is undone all the same.
    @Test func whatIsLeft() async throws {
        try await withTemporaryFolder("undo") { folder in
            let ledger = try UndoLedger(folder: folder.appending("state").string, host: "here")
            let first = folder.appending("first").string, second = folder.appending("second").string
            for path in [first, second] {
                try await ledger.perform(path, inverse: .removeFile(path: path, hash: LinePatch.hash(Array("x".utf8)))) { try HostFile.create(path, Array("x".utf8)) }
            }
            _ = try await ledger.plan("on another", inverse: .removeFile(path: "/nowhere", hash: ""))
            try HostFile.replace(second, with: Array("y".utf8), .secret)
            let outcomes = try await UndoPlayer(host: "here").play(ledger)
            #expect(outcomes[1].result == .left("\(second) is not what Godwit wrote."))
            #expect(outcomes[2].result == .undone)
            #expect(HostFile.exists(second) && !HostFile.exists(first))
            let elsewhere = try await UndoPlayer(host: "there").play(ledger)
            #expect(elsewhere.map(\.result) == [.elsewhere("on here: rm \(second)")])
        }
    }
}
