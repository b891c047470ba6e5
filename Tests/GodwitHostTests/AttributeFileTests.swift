import GodwitHost
import Testing

/// The guide's edits, and what only looks like a setting.
@Suite struct AttributeFileTests {
    private static func file(_ text: String) throws -> AttributeFile { try AttributeFile(Array(text.utf8), name: "packagecloud.rb") }
    private static func text(_ file: AttributeFile) -> String { String(decoding: file.text, as: UTF8.self) }
    static let ssl = RubySetting("mysql", "ssl_enabled"), port = RubySetting("mysql", "port")

    /// A file, what it becomes with `mysql['port'] = 3307`.
    @Test(arguments: [
        ("", "mysql['port'] = 3307\n"),
        ("mysql['port'] = 3306\n", "mysql['port'] = 3307\n"),
        ("mysql['port'] = 3307\n", "mysql['port'] = 3307\n"),
        ("a = 1", "a = 1\nmysql['port'] = 3307\n"),
        ("a = 1\r\n", "a = 1\r\nmysql['port'] = 3307\r\n"),
        ("mysql[\"port\"]=3306 # why\n", "mysql[\"port\"]=3307 # why\n"),
        ("mysql[:port] = '3306'; x = 1\n", "mysql[:port] = 3307; x = 1\n"),
        // Ruby takes the last.
        ("mysql['port'] = 1\nmysql['port'] = 2\n", "mysql['port'] = 1\nmysql['port'] = 3307\n"),
        ("# mysql['port'] = 3307\n", "mysql['port'] = 3307\n"),
        ("  #mysql['port'] = 3307 # default\nx = 1\n", "  mysql['port'] = 3307 # default\nx = 1\n"),
        ("# mysql['port'] = 3306\nx = 1\n", "# mysql['port'] = 3306\nmysql['port'] = 3307\nx = 1\n"),
        ("# mysql['port'] = 3307 is usual\n", "# mysql['port'] = 3307 is usual\nmysql['port'] = 3307\n"),
        ("## mysql['port'] = 3307\n", "## mysql['port'] = 3307\nmysql['port'] = 3307\n"),
        ("mysql['port'] = [1,\n  2]\n", "mysql['port'] = 3307\n"),
        // What only looks like it.
        ("=begin\nmysql['port'] = 1\n=end\n", "=begin\nmysql['port'] = 1\n=end\nmysql['port'] = 3307\n"),
        ("x = <<~T\nmysql['port'] = 1\n  T\n", "x = <<~T\nmysql['port'] = 1\n  T\nmysql['port'] = 3307\n"),
        ("x = <<'A' + <<B\nmysql['port'] = 1\nA\n#mysql['port'] = 3307\nB\n", "x = <<'A' + <<B\nmysql['port'] = 1\nA\n#mysql['port'] = 3307\nB\nmysql['port'] = 3307\n"),
        ("x = 1\n__END__\nmysql['port'] = 1\n", "x = 1\nmysql['port'] = 3307\n__END__\nmysql['port'] = 1\n"),
        ("x = '\nmysql[\\'port\\'] = 1\n'\n", "x = '\nmysql[\\'port\\'] = 1\n'\nmysql['port'] = 3307\n"),
        ("x = %q(\nmysql['port'] = 1\n)\n", "x = %q(\nmysql['port'] = 1\n)\nmysql['port'] = 3307\n"),
        ("other.mysql['port'] = 1\n", "other.mysql['port'] = 1\nmysql['port'] = 3307\n"),
        ("x = mysql['port']\n", "x = mysql['port']\nmysql['port'] = 3307\n"),
        ("mysql['port']['x'] = 1\n", "mysql['port']['x'] = 1\nmysql['port'] = 3307\n"),
        // A comment inside a statement is no place for one of its own.
        ("x = [\n  # mysql['port'] = 3307\n  1]\n", "x = [\n  # mysql['port'] = 3307\n  1]\nmysql['port'] = 3307\n"),
        ("x = foo\n# mysql['port'] = 3307\n  .bar\n", "x = foo\n# mysql['port'] = 3307\n  .bar\nmysql['port'] = 3307\n"),
        ("if x\n  # mysql['port'] = 3307\nend\n", "if x\n  # mysql['port'] = 3307\nend\nmysql['port'] = 3307\n"),
        // A heredoc's body goes with its head.
        ("mysql['port'] = <<T\nx\nT\ny = 1\n", "#mysql['port'] = <<T\n#x\n#T\nmysql['port'] = 3307\ny = 1\n"),
    ])
    func setsPort(_ before: String, _ after: String) throws {
        var file = try Self.file(before)
        try file.set(Self.port, to: .integer(3307))
        #expect(Self.text(file) == after)
        #expect(file.value(of: Self.port) == .integer(3307))
    }

    @Test(arguments: [
        "if x\n  mysql['port'] = 1\nend\n", "mysql['port'] ||= 1\n", "mysql['port'] += 1\n", "mysql['port'], y = 1, 2\n", "x, mysql['port'] = 1, 2\n",
        "mysql['port'] = 1 if x\n", "mysql['port'] = 1 rescue 2\n", "mysql['port'] = y = 1\n", "y = mysql['port'] = 1\n", "return\n", "x = 1\nexit 1\n",
        "5.times { mysql['port'] = 1 }\n", "x = \"#{mysql['port'] = 1}\"\n", "# encoding: shift_jis\n", "x = '\n", "x = <<T\n", "foo(\n", "end\n",
        "x = 1\nfoo(x) { |x| }\ny = x <<T\nmysql['port'] = 1\nT\n",
    ])
    func refuses(_ text: String) throws {
        #expect(throws: HostError.self) {
            var file = try Self.file(text)
            try file.set(Self.port, to: .integer(3307))
        }
    }

    /// The guide's three lines: put in, and commented out again.
    @Test func guide() throws {
        let before = """
            # packagecloud:enterprise
            external_url 'https://packages.example.com'

            ## MySQL
            # mysql['ssl_enabled'] = true
            # mysql['bind_address'] = "127.0.0.1"
            packagecloud_rails['database_password'] = "a'b\\\\"

            """
        var file = try Self.file(before)
        #expect(try file.set(Self.ssl, to: .boolean(true)) == .uncommented(line: 5))
        #expect(try file.set(RubySetting("mysql", "bind_address"), to: .text("0.0.0.0")) == .inserted(line: 7))
        #expect(try file.set(Self.port, to: .integer(3306)) == .inserted(line: 9))
        #expect(try file.set(Self.port, to: .integer(3306)) == .none)
        #expect(try file.set(RubySetting("packagecloud_rails", "database_password"), to: .text("new'\"#{x}")) == .replaced(line: 8))
        #expect(Self.text(file) == """
            # packagecloud:enterprise
            external_url 'https://packages.example.com'

            ## MySQL
            mysql['ssl_enabled'] = true
            # mysql['bind_address'] = "127.0.0.1"
            mysql['bind_address'] = '0.0.0.0'
            packagecloud_rails['database_password'] = "new'\\"\\#{x}"
            mysql['port'] = 3306

            """)
        let diff = UnifiedDiff.text(
            "packagecloud.rb", from: Array(before.utf8), to: file.text, hiddenOld: try Self.file(before).secretLines, hiddenNew: file.secretLines)
        #expect(diff == """
            --- packagecloud.rb
            +++ packagecloud.rb
            @@ -2,6 +2,8 @@
             external_url 'https://packages.example.com'
             
             ## MySQL
            -# mysql['ssl_enabled'] = true
            +mysql['ssl_enabled'] = true
             # mysql['bind_address'] = "127.0.0.1"
            -packagecloud_rails['database_password'] = ********
            +mysql['bind_address'] = '0.0.0.0'
            +packagecloud_rails['database_password'] = ********
            +mysql['port'] = 3306

            """)
        #expect(try file.commentOut(Self.ssl) == .commentedOut(lines: [5]))
        #expect(Self.text(file).contains("\n#mysql['ssl_enabled'] = true\n"))
        #expect(try file.uncomment(Self.ssl) == .uncommented(line: 5))
        #expect(file.value(of: Self.ssl) == .boolean(true))
    }

    @Test(arguments: [
        ("mysql['port'] = 1\nx = 2\n", "#mysql['port'] = 1\nx = 2\n"),
        ("  mysql['port'] = 1 # a\n", "  #mysql['port'] = 1 # a\n"),
        ("mysql['port'] = [\n  1,\n]\n", "#mysql['port'] = [\n#  1,\n#]\n"),
        ("mysql['port'] = 1 if x\n", "#mysql['port'] = 1 if x\n"),
        ("mysql['port'] = if x\n  1\nend\n", "#mysql['port'] = if x\n#  1\n#end\n"),
        ("mysql['port'] = <<~T # note\n  a\n  T\nx = 1\n", "#mysql['port'] = <<~T # note\n#  a\n#  T\nx = 1\n"),
        ("mysql['port'] = 1;\n", "#mysql['port'] = 1;\n"),
        ("mysql['port'] = 1\nmysql['port'] = 2", "#mysql['port'] = 1\n#mysql['port'] = 2"),
        ("mysql['port'] = \\\n  1\n", "#mysql['port'] = \\\n#  1\n"),
    ])
    func commentsOut(_ before: String, _ after: String) throws {
        var file = try Self.file(before)
        try file.commentOut(Self.port)
        #expect(Self.text(file) == after)
    }

    @Test(arguments: ["mysql['port'] = 1; x = 2\n", "x = 2; mysql['port'] = 1\n", "mysql['port'] = <<A; x = 1\nb\nA\n"])
    func doesNotCommentOutWhatSharesItsLine(_ text: String) throws {
        #expect(throws: HostError.self) {
            var file = try Self.file(text)
            try file.commentOut(Self.port)
        }
    }

    /// Undone in a file that somebody changed elsewhere meanwhile, and where somebody changed the lines themselves.
    @Test func undo() throws {
        let before = Array("a = 1\n# mysql['port'] = 3307\nb = 2\n".utf8)
        var file = try AttributeFile(before, name: "f")
        try file.set(Self.port, to: .integer(3307))
        try file.set(Self.ssl, to: .boolean(true))
        let patch = LinePatch(from: before, to: file.text)
        #expect(patch.reversed(on: file.text) == .text(before))
        #expect(patch.reversed(on: before) == .alreadyUndone)
        let later = Array("top = 0\n".utf8) + file.text + Array("end_of = 1\n".utf8)
        #expect(patch.reversed(on: later) == .text(Array("top = 0\n".utf8) + before + Array("end_of = 1\n".utf8)))
        let changed = Array(String(decoding: file.text, as: UTF8.self).replacing("3307", with: "3308").utf8)
        #expect(patch.reversed(on: changed) == .changedSince(hunk: 0))
    }
}
