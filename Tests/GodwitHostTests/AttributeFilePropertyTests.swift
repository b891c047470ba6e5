import Foundation
import GodwitTesting
import SystemPackage
import Testing

@testable import GodwitHost

/// Random files, edited and judged by Ruby itself: what Ruby accepted it accepts still, exactly the one setting changed, and undo
/// gives the same bytes.
@Suite struct AttributeFilePropertyTests {
    private enum Edit: Sendable {
        case set(RubyValue, shown: String)
        case commentOut
        case uncomment
    }
    private struct Case: Sendable {
        var before: [UInt8]
        var after: [UInt8]?
        var setting: RubySetting
        var edit: Edit
        var refusal: String?
    }

    private static func make(_ maker: inout RubyFileMaker, isDamaged: Bool) -> Case {
        var before = maker.file()
        if isDamaged { before = maker.damaged(before) }
        let name = RubyFileMaker.settings.randomElement(using: &maker.random) ?? ("mysql", "port")
        let setting = RubySetting(name.receiver, name.key)
        let edit: Edit
        switch Int.random(in: 0..<4, using: &maker.random) {
        case 0: edit = .commentOut
        case 1: edit = .uncomment
        default:
            let value = maker.newValue()
            edit = .set(value.0, shown: value.1)
        }
        var made = Case(before: before, after: nil, setting: setting, edit: edit)
        do {
            var file = try AttributeFile(before, name: "f")
            switch edit {
            case .set(let value, _): try file.set(setting, to: value)
            case .commentOut: try file.commentOut(setting)
            case .uncomment: try file.uncomment(setting)
            }
            made.after = file.text
        } catch {
            made.refusal = "\(error)"
        }
        return made
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func anyFile(_ seed: UInt64) async throws {
        try await check(seed: seed, isDamaged: false, count: 700, mostRefused: 0.45)
    }

    @Test(arguments: [4, 5] as [UInt64])
    func damagedFile(_ seed: UInt64) async throws {
        try await check(seed: seed, isDamaged: true, count: 900, mostRefused: 0.60)
    }

    private func check(seed: UInt64, isDamaged: Bool, count: Int, mostRefused: Double) async throws {
        var maker = RubyFileMaker(seed: seed)
        let cases = (0..<count).map { _ in Self.make(&maker, isDamaged: isDamaged) }
        try await withTemporaryFolder("ruby") { folder in
            for (index, made) in cases.enumerated() {
                try Data(made.before).write(to: URL(fileURLWithPath: folder.appending("\(index)-before").string))
                if let after = made.after { try Data(after).write(to: URL(fileURLWithPath: folder.appending("\(index)-after").string)) }
            }
            let verdicts = try await RubyRig.judge(folder)
            var accepted = 0, refused = 0
            for (index, made) in cases.enumerated() {
                let before = try #require(verdicts["\(index)-before"])
                guard before.isAccepted else { continue }
                accepted += 1
                guard let new = made.after else {
                    if case .uncomment = made.edit, made.refusal?.contains("no commented line") == true {} else { refused += 1 }
                    continue
                }
                let after = try #require(verdicts["\(index)-after"])
                let what: Comment = "seed \(seed), case \(index): \(made.setting) \(made.edit)\n\(String(decoding: made.before, as: UTF8.self))\n-->\n\(String(decoding: new, as: UTF8.self))"
                #expect(after.isAccepted, what)
                let undone = LinePatch(from: made.before, to: new).reversed(on: new)
                #expect(undone == (made.before == new ? .alreadyUndone : .text(made.before)), what)
                guard let old = before.values, let values = after.values else {
                    #expect(before.values == nil, what)
                    continue
                }
                let key = "\(made.setting.receiver).\(made.setting.keys[0])"
                switch made.edit {
                case .set(_, let shown):
                    #expect(values[key] == shown, what)
                case .commentOut: #expect(values[key] == nil, what)
                case .uncomment: #expect(values[key] != nil, what)
                }
                // Whatever reads the setting may see another value; nothing else changes.
                for (other, value) in old where other != key && !other.hasPrefix(key + ".") { #expect(values[other] == value, what) }
                #expect(Set(values.keys).subtracting(old.keys).isSubset(of: [key]), what)
            }
            #expect(accepted > count / (isDamaged ? 8 : 2), "seed \(seed): the files must mostly be Ruby: \(accepted)")
            #expect(Double(refused) < Double(accepted) * mostRefused, "seed \(seed): refused \(refused) of \(accepted)")
        }
    }

    /// A third of the files of Ruby's own library (all take a minute, and hold as well): read without a doubt, statements found where Ruby finds them, and still accepted by
    /// `ruby -c` with a setting added.
    @Test func rubysOwnFiles() async throws {
        let list = try await RubyRig.run(
            """
            require 'json'
            Dir.glob(RbConfig::CONFIG['rubylibdir'] + '/**/*.rb').sort.each do |path|
              begin
                root = RubyVM::AbstractSyntaxTree.parse_file(path)
              rescue SyntaxError, ArgumentError, EncodingError
                next
              end
              body = root.children[2]
              nodes = body.nil? ? [] : body.type == :BLOCK ? body.children : [body]
              # The tree has no node for `begin` itself, only for what is in it.
              nodes = nodes.compact.reject { |n| [:BEGIN, :RESCUE, :ENSURE].include?(n.type) }
              puts JSON.generate([path, nodes.map { |n| n.first_lineno }])
            end
            """)
        #expect(list.count > 300)
        var doubts: [String] = []
        try await withTemporaryFolder("ruby") { folder in
            for (index, line) in list.enumerated() where index % 3 == 0 {
                let (path, starts) = try Self.entry(line)
                let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
                let outline: RubyOutline
                var file: AttributeFile
                do {
                    outline = try RubyOutline(bytes)
                    file = try AttributeFile(bytes, name: path)
                } catch {
                    doubts.append("\(path): \(error)")
                    continue
                }
                let mine = Set(outline.starts.map { LineTable.line(of: $0, in: bytes) })
                for start in starts where !mine.contains(start) { Issue.record("\(path): Ruby has a statement at line \(start)") }
                guard outline.leaves == nil else { continue }
                try file.set(RubySetting("mysql", "port"), to: .integer(3306))
                try Data(file.text).write(to: URL(fileURLWithPath: folder.appending("\(index)").string))
                #expect(LinePatch(from: bytes, to: file.text).reversed(on: file.text) == .text(bytes))
            }
            for verdict in try await RubyRig.judge(folder, run: false).values where !verdict.isAccepted {
                Issue.record("Ruby does not accept the edited \(list[Int(verdict.file) ?? 0])")
            }
        }
        #expect(doubts.isEmpty, "\(doubts.count) of \(list.count): \(doubts.joined(separator: "\n"))")
    }

    private static func entry(_ line: String) throws -> (String, [Int]) {
        let parts = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any])
        return (try #require(parts[0] as? String), try #require(parts[1] as? [Int]))
    }

    /// The program itself, for one file.
    @Test func acceptedByRubyC() async throws {
        try await withTemporaryFolder("ruby") { folder in
            var file = try AttributeFile(Array("# mysql['port'] = 3306\nx = <<A\n#mysql['ssl_enabled'] = true\nA\n".utf8), name: "f")
            try file.set(RubySetting("mysql", "port"), to: .integer(3306))
            try file.set(RubySetting("mysql", "ssl_enabled"), to: .boolean(true))
            let path = folder.appending("a.rb").string
            try Data(file.text).write(to: URL(fileURLWithPath: path))
            let ruby = try await GuardedProcess.start(RubyRig.program(), ["-c", path])
            #expect(try await ruby.wait() == .code(0))
            #expect(ruby.standardOutput.lines == ["Syntax OK"])
        }
    }
}
