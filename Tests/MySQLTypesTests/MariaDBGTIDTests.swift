import MySQLTypes
import Testing

@Suite struct MariaDBGTIDTests {
    @Test func positionsAreComparedDomainByDomain() throws {
        let position = try MariaDBGTIDPosition(parsing: "1-8-5, 0-7-1234")
        #expect(position.description == "0-7-1234,1-8-5")
        #expect(position.covers(MariaDBGTID(domain: 0, server: 9, sequence: 1234)))
        #expect(!position.covers(MariaDBGTID(domain: 0, server: 7, sequence: 1235)))
        #expect(!position.covers(MariaDBGTID(domain: 2, server: 7, sequence: 1)), "a domain that is not named stands before its start")
        #expect(position.covers(try MariaDBGTIDPosition(parsing: "0-7-3")))
        #expect(!(try MariaDBGTIDPosition(parsing: "0-7-9999")).covers(position))
        #expect(try MariaDBGTIDPosition(parsing: "").isEmpty)
        var later = position
        later.advance(to: MariaDBGTID(domain: 1, server: 7, sequence: 6))
        #expect(later.covers(position) && !position.covers(later))
    }

    @Test(arguments: ["0-7", "0-7-1-2", "-1-7-1", "0-7-x", "0-4294967296-1", "0-7-18446744073709551616", "0-7-1,0-8-2", "+0-7-1", "0-7-"])
    func whatIsNoPosition(text: String) {
        #expect(throws: GTIDParseError.self) { try MariaDBGTIDPosition(parsing: text) }
    }

    /// By address, as the server prints it (also in the fixture of every type).
    @Test(arguments: [
        ([0, 0, 0, 0, 0, 0, 0, 1], "::1"), ([0, 0, 0, 0, 0, 0, 0, 0], "::"), ([1, 0, 2, 3, 4, 5, 6, 7], "1::2:3:4:5:6:7"),
        ([0, 0, 0, 0, 0, 0xffff, 0x102, 0x304], "::ffff:1.2.3.4"), ([0, 0, 0, 0, 0, 0, 0x102, 0x304], "::1.2.3.4"),
        ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"), ([1, 2, 3, 4, 5, 6, 7, 0], "1:2:3:4:5:6:7::"),
    ] as [([UInt16], String)])
    func addresses(groups: [UInt16], text: String) {
        #expect(MariaDBText.text(groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }, dataType: "inet6") == text)
    }
}
