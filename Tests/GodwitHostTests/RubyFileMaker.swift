import GodwitHost

/// Random Ruby files: settings, and everything that looks like one.
struct RubyFileMaker {
    var random: SeededGenerator
    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    static let settings: [(receiver: String, key: String)] = [
        ("mysql", "port"), ("mysql", "ssl_enabled"), ("mysql", "bind_address"), ("app", "database_host"), ("app", "database_password"),
    ]

    private mutating func pick<T>(_ list: [T]) -> T { list[Int.random(in: 0..<list.count, using: &random)] }
    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func assignment() -> String {
        let (receiver, key) = pick(Self.settings)
        let path = pick(["\(receiver)['\(key)']", "\(receiver)[\"\(key)\"]", "\(receiver)[:\(key)]", "\(receiver)[ '\(key)' ]", "\(receiver)[%q(\(key))]"])
        return path + pick([" = ", "=", "  =  "]) + value()
    }

    private mutating func value() -> String {
        pick([
            "true", "false", "nil", "3306", "-1", "1_000", "0x10", "'a'", "\"0.0.0.0\"", "'it\\'s'", "\"a\\tb\"", "%q(a(b)c)", "%w(a b)", ":sym",
            "[1, 2]", "{ 'a' => 1 }", "{ a: 1, 'b': 2 }", "1 + 2", "foo ? 1 : 2", "\"#{1 + 1}\"", "'#{x}'", "1.5", "?a", "/a'b/", "%r{a/b}i", "\"a\" 'b'",
            "'\u{e9}'", "[\n  1, # one\n  2,\n]", "{\n  # mysql['port'] = 1\n  'x' => 1\n}", "'two\nlines'", "<<~TEXT\n  mysql['port'] = 1\nTEXT",
            "<<'A' + <<-B\n#{not}\nA\n  b\n  B", "foo(1) do |x|\n  x\nend", "if true then 1 else 2 end", "1 if true", "1 unless false", "1 rescue 2", "\\\n  1",
            "1 +\n  2", "foo\n  .bar", "case 1 when 1 then 2 end", "begin; 1; end", "->(x) { x }", "(1; 2)", "%(a \"b\" (c))", "'a#b'", "\"a#b\"", "10 / 2 # /",
            "10 % 3", "foo %w(a b)", "4 << 1", "foo <<X\nmysql['port'] = 9\nX", "1..2", "(1..)", "mysql['other']", "true && false", "!true", "\"\\u00e9\\x41\"",
        ])
    }

    private mutating func line() -> String {
        switch Int.random(in: 0..<24, using: &random) {
        case 0...5: return assignment()
        case 6...8: return "# " + assignment()
        case 9: return "#" + assignment()
        case 10: return "  " + assignment() + pick(["", " # note", " ;", "; x = 1"])
        case 11: return "if foo\n  \(assignment())\nend"
        case 12: return "foo.bar do |m|\n  # \(assignment())\n  \(assignment())\nend"
        case 13: return "=begin\n\(assignment())\n=end"
        case 14: return "x = <<~EOS\n  \(assignment())\n  \(assignment())\nEOS"
        case 15: return "x = %q{\n\(assignment().filter { $0 != "}" && $0 != "{" && $0 != "\\" })\n}"
        case 16: return "external_url 'https://example.com' # \(assignment())"
        case 17: return pick(["x = y = 3", "x = 7 / 2; y = 1 / 1", "def m(a, b = 1)\n  a /b\nend", "def n = 1", "def self.o=(v)\n  @o = v\nend", "class X < Object; end"])
        case 18: return pick(["x = 10\nwhile x > 0 do x -= 1 end", "x = 3\nuntil x == 0\n  x -= 1\nend", "for i in [1] do i end", "x = 1 if y = nil", "begin\n  1\nend while false"])
        case 19: return pick(["mysql['port'] ||= 1", "mysql['port'], x = 1, 2", "x = mysql['port'] = 5", "mysql['n']['port'] = 2", "foo(mysql['port'] = 3)", "mysql['ssl_enabled'] &&= 1"])
        case 20: return pick(["", "", "   ", "\t", "#", "##", "# -- #{x} --", "#!/x", "# mysql['port'] = is what", "# 'mysql['port'] = 1", ";", ";;"])
        case 21: return pick(["x = { 'a' => ?', b: %w[\" '] }", "x = \"\\\"\" + '\\\\'", "x = :\"a b\"", "x = %i(a b)", "x = $'", "x = [$\", $/]", "x = ?\\\\", "x = [1, 2]\n  .map { |v| v * 2 }\n  # \(assignment())\n  .first"])
        case 22: return pick(["x = foo ? mysql : app", "x = !foo", "x = [*1..3]", "x = foo&.bar", "foo :a, b: 1", "foo a: 'x', if: 1", "x = { if: 1, end: 2 }", "foo.class; foo.then { |e| e }", "alias zz foo rescue 1", "x = <<A.strip + <<B.strip\nmysql['port'] = 1\nA\n=begin\nB"])
        default: return pick(["x = \"a#{foo { \"}\" }}b\"", "x = \"#{<<A}\"\nmysql['port'] = 1\nA", "x = `true`", "x = \"line\\\nmore\"", "x = 'mysql[\"port\"] = 1'", "x = /#{1}[\"']/x", "x = %Q<a<b>c#{2}>"])
        }
    }

    /// A whole file.
    mutating func file() -> [UInt8] {
        var text = chance(10) ? "# frozen_string_literal: true\n" : ""
        if chance(5) { text = "\u{FEFF}" + text }
        for _ in 0..<Int.random(in: 0..<9, using: &random) { text += line() + (chance(95) ? "\n" : "\n\n") }
        if chance(15) { text += "__END__\n\(assignment())\n" }
        if chance(15), text.hasSuffix("\n") { text.removeLast() }
        if chance(10) { text = text.replacing("\n", with: "\r\n") }
        return Array(text.utf8)
    }

    /// The file with a few bytes taken out, doubled or put in.
    mutating func damaged(_ file: [UInt8]) -> [UInt8] {
        var result = file
        for _ in 0..<Int.random(in: 1...3, using: &random) where !result.isEmpty {
            let at = Int.random(in: 0..<result.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: result.remove(at: at)
            case 1: result.insert(contentsOf: pick(["'", "\"", "#", "\n", "%", "<<A", "(", "]", "end", " do ", "?", "/", ":", "\\", "|", "if "]).utf8, at: at)
            default: result.swapAt(at, min(at + 1, result.count - 1))
            }
        }
        return result
    }

    /// A new value, and how Ruby shows it.
    mutating func newValue() -> (RubyValue, String) {
        pick([
            (.boolean(true), "true"), (.integer(3306), "3306"), (.integer(-5), "-5"), (.none, "nil"), (.text(""), "\"\""), (.text("0.0.0.0"), "\"0.0.0.0\""),
            (.text("a'b\"c\\d"), "\"a'b\\\"c\\\\d\""), (.text("#{1}#$x#@y"), "\"\\#{1}\\#$x\\#@y\""), (.text("\u{e9}\n\t"), "\"\u{e9}\\n\\t\""),
            (.text("\\"), "\"\\\\\""), (.text("x' ; exit ; '"), "\"x' ; exit ; '\""),
        ])
    }
}
