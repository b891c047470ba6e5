import MySQLTypes
import Testing

private let uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
private let uuidB = "b15258d1-e6ad-11f1-83a6-02fc00000001"

@Suite struct GTIDSetTests {
    @Test(arguments: [
        ("", ""),
        (" \n", ""),
        ("\(uuidA):1", "\(uuidA):1"),
        ("\(uuidA):1-5:7", "\(uuidA):1-5:7"),
        ("\(uuidA):7:1-3:4-5", "\(uuidA):1-5:7"),
        ("\(uuidA):5-3", ""),
        ("\(uuidB):1,\n\(uuidA):2-3", "\(uuidA):2-3,\(uuidB):1"),
        (uuidA.uppercased() + ":1", "\(uuidA):1"),
        ("{\(uuidA)}:1", "\(uuidA):1"),
        ("3e11fa4771ca11e19e33c80aa9429562:1", "\(uuidA):1"),
        ("\(uuidA):Tag_1:3:1", "\(uuidA):tag_1:1:3"),
        ("\(uuidA):1-2:b:5:a:1-9", "\(uuidA):1-2:a:1-9:b:5"),
        ("\(uuidA):b:5,\(uuidA):a:4,\(uuidA):1", "\(uuidA):1:a:4:b:5"),
        ("\(uuidA):9223372036854775806", "\(uuidA):9223372036854775806"),
    ])
    func parsesAndPrintsCanonically(text: String, canonical: String) throws {
        let set = try GTIDSet(parsing: text)
        #expect(set.description == canonical)
        #expect(try GTIDSet(parsing: canonical) == set)
        #expect(try GTIDSet(decodingDump: set.encodedForDump()) == set)
    }

    @Test(arguments: [
        "x", "\(uuidA)", "\(uuidA):", "\(uuidA):0", "\(uuidA):1-", "\(uuidA):-1", "\(uuidA):1-2-3", "\(uuidA):9223372036854775807",
        "\(uuidA):tag", "\(uuidA):tag:", "\(uuidA):a:b:1", "\(uuidA):t-x:1", "\(uuidA):1:tag", "3e11fa47:1", "\(uuidA)::1",
        "\(uuidA):abcdefghijklmnopqrstuvwxyz0123456:1", "\(uuidA):+1", "\(uuidA):1-+2",
    ])
    func refuses(text: String) {
        #expect(throws: GTIDParseError.self) { try GTIDSet(parsing: text) }
    }

    /// The tagged form as MySQL 8.3 and later write it: format in the first and the last byte of the count.
    @Test func encodesTags() throws {
        let plain = try GTIDSet(parsing: "\(uuidA):1-5").encodedForDump()
        #expect(plain.prefix(8) == [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(plain.count == 8 + 16 + 8 + 16)
        #expect(plain[8] == 0x3e && plain[24] == 1 && plain[32] == 1 && plain[40] == 6)
        let tagged = try GTIDSet(parsing: "\(uuidA):1-5:tag:9").encodedForDump()
        #expect(tagged.prefix(8) == [1, 2, 0, 0, 0, 0, 0, 1])
        #expect(tagged[24] == 0, "the untagged source has an empty tag")
        #expect(Array(tagged[(25 + 8 + 16 + 16)...].prefix(4)) == [6] + Array("tag".utf8))
    }

    @Test func refusesBrokenBlocks() throws {
        let block = try GTIDSet(parsing: "\(uuidA):1-5:8:tag:9,\(uuidB):1").encodedForDump()
        for length in 0..<block.count {
            #expect(throws: GTIDParseError.self) { try GTIDSet(decodingDump: Array(block[..<length])) }
        }
        #expect(throws: GTIDParseError.self) { try GTIDSet(decodingDump: block + [0]) }
        #expect(throws: GTIDParseError.self) { try GTIDSet(decodingDump: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]) }
        #expect(throws: GTIDParseError.self) { try GTIDSet(decodingDump: [0, 0, 0, 0, 0, 0, 0, 9]) }
    }

    @Test func countsAndMembers() throws {
        let set = try GTIDSet(parsing: "\(uuidA):1-5:7:t:1-2")
        let source = try #require(SourceUUID(uuidA))
        #expect(set.count == 8)
        #expect(set.contains(GTID(source: source, number: 7)))
        #expect(!set.contains(GTID(source: source, number: 6)))
        #expect(set.contains(GTID(source: source, tag: "t", number: 2)))
        #expect(!set.contains(GTID(source: source, tag: "t", number: 3)))
        #expect(!set.contains(GTID(source: source, tag: "u", number: 1)))
        #expect(GTID(source: source, tag: "t", number: 2).description == "\(uuidA):t:2")
    }
}

/// Against the obvious model: a Swift set of single GTIDs.
@Suite struct GTIDSetPropertyTests {
    private struct Model {
        var set = GTIDSet()
        var naive: Set<GTID> = []
    }

    private static func random(_ generator: inout SeededGenerator) -> Model {
        var model = Model()
        for _ in 0..<Int.random(in: 0...40, using: &generator) {
            let gtid = GTID(
                source: SourceUUID(high: UInt64.random(in: 1...2, using: &generator), low: 1),
                tag: ["", "a", "b"].randomElement(using: &generator) ?? "", number: Int64.random(in: 1...25, using: &generator))
            model.set.insert(gtid)
            model.naive.insert(gtid)
        }
        return model
    }

    private static func built(_ naive: Set<GTID>) -> GTIDSet {
        var set = GTIDSet()
        for gtid in naive { set.insert(gtid) }
        return set
    }

    @Test(arguments: [UInt64(1), 2, 3, 20261122])
    func agreesWithNaiveSets(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for round in 0..<400 {
            let (left, right) = (Self.random(&generator), Self.random(&generator))
            let context: Comment = "seed \(seed), round \(round): \(left.set.description) and \(right.set.description)"
            #expect(left.set.count == left.naive.count, context)
            #expect(left.set.union(right.set) == Self.built(left.naive.union(right.naive)), context)
            #expect(left.set.subtracting(right.set) == Self.built(left.naive.subtracting(right.naive)), context)
            #expect(left.set.intersection(right.set) == Self.built(left.naive.intersection(right.naive)), context)
            #expect(left.set.isSubset(of: right.set) == left.naive.isSubset(of: right.naive), context)
            #expect(left.set.subtracting(right.set).isSubset(of: left.set), context)
            #expect(left.set.isDisjoint(with: right.set) == left.naive.isDisjoint(with: right.naive), context)
            #expect(try GTIDSet(parsing: left.set.description) == left.set, context)
            #expect(try GTIDSet(decodingDump: left.set.encodedForDump()) == left.set, context)
            #expect((left.set == right.set) == (left.naive == right.naive), context)
        }
    }
}
