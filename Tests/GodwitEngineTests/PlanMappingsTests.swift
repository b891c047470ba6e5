import Testing

@testable import GodwitEngine

/// The rules of the guide that Godwit automates, verbatim, tabs included.
let guideMappings = """
    {
    \t"rules": [
    \t\t{
    \t\t\t"rule-type": "selection",
    \t\t\t"rule-id": "1",
    \t\t\t"rule-name": "1",
    \t\t\t"object-locator": {
    \t\t\t\t"schema-name": "packages_onpremise",
    \t\t\t\t"table-name": "%"
    \t\t\t},
    \t\t\t"rule-action": "include"
    \t\t},
    \t\t{
    \t\t\t"rule-type": "selection",
    \t\t\t"rule-id": "2",
    \t\t\t"rule-name": "2",
    \t\t\t"object-locator": {
    \t\t\t\t"schema-name": "mysql",
    \t\t\t\t"table-name": "%"
    \t\t\t},
    \t\t\t"rule-action": "exclude"
    \t\t},
    \t\t{
    \t\t\t"rule-type": "selection",
    \t\t\t"rule-id": "3",
    \t\t\t"rule-name": "3",
    \t\t\t"object-locator": {
    \t\t\t\t"schema-name": "performance_schema",
    \t\t\t\t"table-name": "%"
    \t\t\t},
    \t\t\t"rule-action": "exclude"
    \t\t},
    \t\t{
    \t\t\t"rule-type": "selection",
    \t\t\t"rule-id": "4",
    \t\t\t"rule-name": "4",
    \t\t\t"object-locator": {
    \t\t\t\t"schema-name": "information_schema",
    \t\t\t\t"table-name": "%"
    \t\t\t},
    \t\t\t"rule-action": "exclude"
    \t\t},
    \t\t{
    \t\t\t"rule-type": "selection",
    \t\t\t"rule-id": "5",
    \t\t\t"rule-name": "5",
    \t\t\t"object-locator": {
    \t\t\t\t"schema-name": "test",
    \t\t\t\t"table-name": "%"
    \t\t\t},
    \t\t\t"rule-action": "exclude"
    \t\t},
    \t\t{
    \t\t\t"rule-type": "selection",
    \t\t\t"rule-id": "6",
    \t\t\t"rule-name": "6",
    \t\t\t"object-locator": {
    \t\t\t\t"schema-name": "packages_onpremise",
    \t\t\t\t"table-name": "ar_internal_metadata"
    \t\t\t},
    \t\t\t"rule-action": "exclude"
    \t\t}
    \t]
    }
    """

/// Rules from short descriptions, ids counted up.
private func selection(_ id: Int, _ action: String, _ schema: String, _ table: String, more: String = "") -> String {
    """
    {"rule-type": "selection", "rule-id": "\(id)", "rule-name": "n\(id)", "rule-action": "\(action)",
     "object-locator": {"schema-name": "\(schema)", "table-name": "\(table)"}\(more)}
    """
}

private func transformation(
    _ id: Int, _ target: String, _ action: String, _ schema: String, _ table: String?, more: String = ""
) -> String {
    let tableMember = table.map { ", \"table-name\": \"\($0)\"" } ?? ""
    return """
        {"rule-type": "transformation", "rule-id": "\(id)", "rule-name": "n\(id)", "rule-target": "\(target)",
         "rule-action": "\(action)", "object-locator": {"schema-name": "\(schema)"\(tableMember)}\(more)}
        """
}

private func mappings(_ rules: String...) throws -> TableMappings {
    try TableMappings.parse(json: "{\"rules\": [\(rules.joined(separator: ","))]}", file: "m.json").mappings
}

private func name(_ text: String) -> TableName {
    let parts = text.split(separator: ".", maxSplits: 1)
    return TableName(schema: String(parts[0]), table: String(parts[1]))
}

private func refusal(_ json: String) -> String {
    do {
        _ = try TableMappings.parse(json: json, file: "m.json")
        return "(accepted)"
    } catch {
        return error.kind == .plan ? error.description : "(kind \(error.kind)) \(error)"
    }
}

@Suite struct PlanMappingsTests {
    @Test func guideVerbatim() throws {
        let (mappings, warnings) = try TableMappings.parse(json: guideMappings, file: "m.json")
        #expect(warnings == [])
        let included = ["packages_onpremise.packages", "packages_onpremise.AR_internal_metadata", "packagesXonpremise.a"]
        for table in included { #expect(mappings.decision(for: name(table))?.target == name(table), "\(table)") }
        let excluded = [
            "packages_onpremise.ar_internal_metadata", "test.a", "mysql.user", "other.a", "performance_schema.threads",
            "Packages_onpremise.a", "packages__onpremise.a",
        ]
        for table in excluded { #expect(mappings.decision(for: name(table)) == nil, "\(table)") }
        #expect(mappings.mayInclude(schema: "packages_onpremise"))
        #expect(!mappings.mayInclude(schema: "test2"))
        let surprises = mappings.wildcardSurprises(in: (included + excluded).map(name))
        #expect(surprises.count == 1)
        #expect(surprises.first?.names == ["packagesXonpremise"])
        #expect(surprises.first?.description.contains("packages[_]onpremise") == true)
        #expect(mappings.wildcardSurprises(in: [name("packages_onpremise.a")]) == [])
    }

    @Test(arguments: [
        ("%", "", true), ("%", "abc", true), ("a%", "abc", true), ("a%c", "abc", true), ("a%c", "ac", true), ("a%c", "acb", false),
        ("%b%", "abc", true), ("%b%", "ac", false), ("a_c", "abc", true), ("a_c", "ac", false), ("a_c", "a_c", true),
        ("a[_]c", "a_c", true), ("a[_]c", "abc", false), ("a[%]", "a%", true), ("a[%]", "ab", false), ("[ab]x", "bx", true), ("[ab]x", "cx", false),
        ("t[a-d]", "tc", true), ("t[a-d]", "te", false), ("t[a-cx0-9]", "t7", true), ("t[a-cx0-9]", "tx", true),
        ("t[a-cx0-9]", "t-", false), ("t[-a]", "t-", true), ("ä_", "äö", true), ("A", "a", false), ("%%%", "x", true),
        ("a%a%a%b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false), ("*", "x", false), ("", "", true),
    ])
    func dmsPatterns(pattern: String, text: String, matches: Bool) throws {
        #expect(try NamePattern(dms: pattern).matches(text, foldsCase: false) == matches)
    }

    @Test(arguments: [
        ("*", "abc", true), ("a?c", "abc", true), ("a?c", "a_c", true), ("a_c", "abc", false), ("a%", "ab", false), ("a[b]", "ab", false),
        ("tmp*", "tmp", true), ("?", "", false),
    ])
    func ownPatterns(pattern: String, text: String, matches: Bool) {
        #expect(NamePattern(glob: pattern).matches(text, foldsCase: false) == matches)
    }

    /// Against the textbook recursion, on random patterns over a tiny alphabet.
    @Test(arguments: 0..<20) func patternsAgainstRecursion(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        func naive(_ pattern: Substring, _ text: Substring) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            let rest = pattern.dropFirst()
            if first == "%" { return naive(rest, text) || (!text.isEmpty && naive(pattern, text.dropFirst())) }
            guard let character = text.first else { return false }
            return (first == "_" || first == character) && naive(rest, text.dropFirst())
        }
        for _ in 0..<500 {
            let pattern = String((0..<Int.random(in: 0...6, using: &random)).map { _ in "ab%_".randomElement(using: &random) ?? "a" })
            let text = String((0..<Int.random(in: 0...8, using: &random)).map { _ in "abc".randomElement(using: &random) ?? "a" })
            #expect(
                try NamePattern(dms: pattern).matches(text, foldsCase: false) == naive(pattern[...], text[...]),
                "seed \(seed): \(pattern) on \(text)")
        }
    }

    @Test func precedence() throws {
        let rules = try mappings(
            selection(1, "exclude", "app", "secret%"), selection(2, "include", "app", "%"),
            selection(3, "explicit", "app", "secret_a"))
        #expect(rules.decision(for: name("app.users")) != nil)
        #expect(rules.decision(for: name("app.secret_a")) != nil)
        #expect(rules.decision(for: name("app.secretXa")) == nil)
        #expect(rules.decision(for: name("app.secret")) == nil)
    }

    @Test func systemSchemasAreNeverIncluded() throws {
        let all = try mappings(selection(1, "include", "%", "%"))
        for schema in TableMappings.reservedSchemas {
            #expect(all.decision(for: TableName(schema: schema, table: "t")) == nil)
            #expect(!all.mayInclude(schema: schema))
            #expect(refusal("{\"rules\": [\(selection(7, "include", schema, "%"))]}").contains("rule-id 7 includes the schema \(schema)"))
        }
        #expect(all.decision(for: name("INFORMATION_SCHEMA.t")) == nil)
        #expect(all.decision(for: name("mysql2.t")) != nil)
    }

    @Test func caseFolding() throws {
        var rules = try mappings(selection(1, "include", "App", "Users"), selection(2, "exclude", "app", "users2"))
        #expect(rules.decision(for: name("app.users")) == nil)
        rules.foldsCase = true
        #expect(rules.decision(for: name("app.users"))?.target == name("app.users"))
        #expect(rules.decision(for: name("APP.USERS2")) == nil)
    }

    @Test func loadOrderAndFilters() throws {
        let filter = """
            , "load-order": "5", "filters": [
              {"filter-type": "source", "column-name": "id", "filter-conditions": [
                {"filter-operator": "between", "start-value": "1", "end-value": "9"}, {"filter-operator": "eq", "value": 20}]},
              {"filter-type": "source", "column-name": "x", "filter-conditions": [{"filter-operator": "notnull"}]}]
            """
        let rules = try mappings(selection(1, "include", "app", "%"), selection(2, "include", "app", "t_1", more: filter))
        let decision = try #require(rules.decision(for: name("app.t_1")))
        #expect(decision.loadOrder == 5)
        #expect(
            decision.filters == [
                RowFilter(
                    column: "id",
                    conditions: [.init(operator: .between, values: ["1", "9"]), .init(operator: .eq, values: ["20"])]),
                RowFilter(column: "x", conditions: [.init(operator: .notnull, values: [])]),
            ])
        #expect(rules.decision(for: name("app.other"))?.filters == [])
        try rules.checkTargets(of: [name("app.t_1"), name("app.other")])
        // `t_1` finds tX1 by its wildcard, and so does rule 1: which of them counts can't be told.
        #expect { try rules.checkTargets(of: [name("app.tX1")]) } throws: { "\($0)".contains("rule-id 1 and rule-id 2 both include app.tX1") }
    }

    @Test(arguments: [
        ("rename", "\"value\": \"new\"", "new"), ("convert-lowercase", "", "orders"), ("convert-uppercase", "", "ORDERS"),
        ("add-prefix", "\"value\": \"x_\"", "x_Orders"), ("remove-prefix", "\"value\": \"Or\"", "ders"),
        ("remove-prefix", "\"value\": \"zz\"", "Orders"), ("replace-prefix", "\"old-value\": \"Or\", \"value\": \"Bo\"", "Boders"),
        ("add-suffix", "\"value\": \"_x\"", "Orders_x"), ("remove-suffix", "\"value\": \"ers\"", "Ord"),
        ("replace-suffix", "\"old-value\": \"ers\", \"value\": \"s\"", "Ords"),
    ])
    func nameChanges(action: String, members: String, expected: String) throws {
        let more = members.isEmpty ? "" : ", " + members
        let rules = try mappings(
            selection(1, "include", "%", "%"), transformation(2, "table", action, "app", "Orders", more: more),
            transformation(3, "schema", action, "Orders", nil, more: more))
        #expect(rules.decision(for: name("app.Orders"))?.target == TableName(schema: "app", table: expected))
        #expect(rules.decision(for: name("app.Other"))?.target == name("app.Other"))
        #expect(rules.decision(for: name("Orders.t"))?.target == TableName(schema: expected, table: "t"))
    }

    @Test func lowestRuleIdWins() throws {
        let rules = try mappings(
            selection(1, "include", "%", "%"),
            transformation(20, "table", "add-prefix", "app", "%", more: ", \"value\": \"late_\""),
            transformation(3, "table", "add-prefix", "app", "t%", more: ", \"value\": \"early_\""))
        #expect(rules.decision(for: name("app.t1"))?.target == name("app.early_t1"))
        #expect(rules.decision(for: name("app.u1"))?.target == name("app.late_u1"))
    }

    @Test func targets() throws {
        let merging = try mappings(
            selection(1, "include", "%", "%"), transformation(2, "schema", "rename", "[ab]", nil, more: ", \"value\": \"c\""))
        try merging.checkTargets(of: [name("a.t"), name("b.u"), name("c.v"), name("mysql.user")])
        #expect { try merging.checkTargets(of: [name("a.t"), name("b.t")]) } throws: { "\($0)".contains("a.t and b.t would both go to c.t") }
        #expect { try merging.checkTargets(of: [name("a.t"), name("c.t")]) } throws: { "\($0)".contains("both go to c.t") }
        try merging.checkTargets(of: [name("d.t"), name("D.T")])
        #expect(throws: EngineError.self) { try merging.checkTargets(of: [name("d.t"), name("D.T")], targetFoldsCase: true) }
        let reserved = try mappings(
            selection(1, "include", "%", "%"), transformation(2, "schema", "rename", "a", nil, more: ", \"value\": \"godwit\""))
        #expect { try reserved.checkTargets(of: [name("a.t")]) } throws: { "\($0)".contains("belongs to the server or to Godwit") }
        let long = try mappings(
            selection(1, "include", "%", "%"),
            transformation(2, "table", "add-prefix", "%", "%", more: ", \"value\": \"\(String(repeating: "x", count: 60))\""))
        try long.checkTargets(of: [name("a.four")])
        #expect { try long.checkTargets(of: [name("a.fives")]) } throws: { "\($0)".contains("more than 64 characters") }
        let empty = try mappings(
            selection(1, "include", "%", "%"), transformation(2, "table", "remove-prefix", "%", "%", more: ", \"value\": \"t\""))
        #expect { try empty.checkTargets(of: [name("a.t")]) } throws: { "\($0)".contains("is empty") }
    }

    @Test func tableSettingsWarn() throws {
        let settings = """
            {"rule-type": "table-settings", "rule-id": "2", "rule-name": "2",
             "object-locator": {"schema-name": "app", "table-name": "t"},
             "parallel-load": {"type": "partitions-auto"}, "lob-settings": {"mode": "limited", "bulk-max-size": "16"}}
            """
        let (_, warnings) = try TableMappings.parse(json: "{\"rules\": [\(selection(1, "include", "a", "%")), \(settings)]}", file: "m.json")
        #expect(warnings.count == 2)
        #expect(warnings[0].contains("rule-id 2: lob-settings has no effect"))
        #expect(warnings[1].contains("rule-id 2: parallel-load has no effect"))
    }

    private static let include = selection(1, "include", "app", "%")

    @Test(arguments: [
        ("", ["m.json:1:1", "the text ends"]),
        ("{", ["m.json:1:2", "member's name"]),
        ("{\"rules\": [}", ["m.json:1:12", "'}' stands where a value"]),
        ("{\"rules\": []} x", ["m.json:1:15", "follows the document's end"]),
        ("{\"rules\": [],\n\"rules\": []}", ["m.json:2:1", "twice"]),
        ("{\"rule\": []}", ["Did you mean rules?"]),
        ("{}", ["no member rules"]),
        ("{\"rules\": {}}", ["must be a list, not a map"]),
        ("{\"rules\": []}", ["no selection rule includes"]),
        ("{\"rules\": [01]}", ["'01' is no value"]),
        ("{\"a\": \"\\ud800\"}", ["surrogate"]),
        ("{\"a\": \"\\ud800\\u0041\"}", ["surrogate"]),
        ("{\"a\": \"x", ["m.json:1:7", "not closed"]),
        ("{\"a\": \"\\x\"}", ["no escape"]),
        (String(repeating: "[", count: 100_000), ["nested more than"]),
        ("{\"rules\": [{\"rule-type\": \"selektion\"}]}", ["Did you mean selection?"]),
        ("{\"rules\": [{\"rule-id\": \"1\"}]}", ["a rule has no rule-type"]),
        ("{\"rules\": [{\"rule-type\": \"selection\"}]}", ["no rule-id"]),
    ])
    func malformed(json: String, fragments: [String]) {
        let sentence = refusal(json)
        for fragment in fragments { #expect(sentence.contains(fragment), "\(sentence)") }
    }

    @Test(arguments: [
        (include, "rule-id 1 stands already in line 1"),
        (selection(2, "includ", "a", "%"), "Did you mean include?"),
        (selection(2, "include", "a", "%", more: ", \"load-odrer\": 1"), "Did you mean load-order?"),
        (selection(2, "include", "a", "%", more: ", \"load-order\": \"x\""), "rule-id 2: load-order must be a whole number"),
        (selection(2, "include", "a[b", "%"), "rule-id 2: schema-name a[b can't be read: a [ has no ]"),
        (selection(2, "include", "a[]", "%"), "[] is empty"),
        (selection(2, "include", "a[d-a]", "%"), "range d-a is empty"),
        (selection(2, "explicit", "a", "%"), "needs the exact name"),
        (selection(2, "exclude", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": [{\"filter-operator\": \"null\"}]}]"), "only with the rule-action include"),
        (selection(2, "include", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": []}]"), "no condition"),
        (selection(2, "include", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": [{\"filter-operator\": \"noteq\", \"value\": \"1\"}, {\"filter-operator\": \"noteq\", \"value\": \"2\"}]}]"), "noteq must be the only condition"),
        (selection(2, "include", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": [{\"filter-operator\": \"equal\", \"value\": \"1\"}]}]"), "filter-operator can't be equal"),
        (selection(2, "include", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": [{\"filter-operator\": \"eq\"}]}]"), "eq has no value"),
        (selection(2, "include", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": [{\"filter-operator\": \"between\", \"start-value\": \"1\"}]}]"), "between has no end-value"),
        (selection(2, "include", "a", "%", more: ", \"filters\": [{\"column-name\": \"c\", \"filter-conditions\": [{\"filter-operator\": \"null\", \"value\": \"1\"}]}]"), "null takes no value"),
        (transformation(2, "column", "rename", "a", "b", more: ", \"value\": \"c\""), "rename of a column is not supported"),
        (transformation(2, "table", "add-column", "a", "b"), "add-column is not supported"),
        (transformation(2, "table", "data-masking-hash-mask", "a", "b"), "data-masking-hash-mask is not supported"),
        (transformation(2, "table", "renam", "a", "b"), "Did you mean rename?"),
        (transformation(2, "table", "rename", "a", "b"), "has no value"),
        (transformation(2, "table", "rename", "a", nil, more: ", \"value\": \"c\""), "has no table-name"),
        ("{\"rule-type\": \"validation\", \"rule-id\": \"2\", \"rule-name\": \"2\"}", "rule-id 2: validation rules are not supported"),
        ("{\"rule-type\": \"selection\", \"rule-id\": \"2\", \"rule-name\": \"n1\"}", "the rule-name n1 stands already"),
        ("{\"rule-type\": \"selection\", \"rule-id\": \"2\", \"rule-name\": \"2\", \"rule-action\": \"include\", \"object-locator\": {\"schema-name\": \"a\", \"table-name\": \"b\", \"table-type\": \"view\"}}", "table-type view is not supported"),
        ("{\"rule-type\": \"table-settings\", \"rule-id\": \"2\", \"rule-name\": \"2\", \"object-locator\": {\"schema-name\": \"a\", \"table-name\": \"%\"}}", "needs the exact name"),
        ("{\"rule-type\": \"table-settings\", \"rule-id\": \"2\", \"rule-name\": \"2\", \"object-locator\": {\"schema-name\": \"a\", \"table-name\": \"t\"}, \"lob-settings\": {\"mode\": \"none\"}}", "leaves LOB columns out"),
    ])
    func refusedRules(rule: String, fragment: String) {
        let sentence = refusal("{\"rules\": [\(Self.include), \(rule)]}")
        #expect(sentence.contains(fragment), "\(sentence)")
        #expect(sentence.hasPrefix("m.json:"), "\(sentence)")
    }

    @Test func jsonText() throws {
        let reader = DocumentReader(file: "f")
        let node = try JSONDocument.parse("\u{FEFF} [\"\\u00e4\\ud83d\\ude00\\n\\\"\", -1.5e+3, null, {}, []]\r\n", reader: reader)
        guard case .list(let items) = node.content else { Issue.record("no list"); return }
        #expect(items[0].content == .scalar("ä😀\n\"", plain: false))
        #expect(items[1].content == .scalar("-1.5e+3", plain: true))
        #expect(items[2].isNull)
    }
}

/// A small random source with a seed that can be printed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) {
        // Scattered first: streams of neighbouring seeds would be one another's continuation.
        state = seed
        state = next() ^ (seed << 32)
    }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
