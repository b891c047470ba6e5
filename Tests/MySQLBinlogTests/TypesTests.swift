import MySQLBinlog
import MySQLTypes
import Testing

/// Every column type at its extremes: the value decoded from the row image against what SELECT showed.
@Suite struct TypesTests {
    /// The form of `types/select.sql`: text columns in hexadecimal, ENUM, SET and BIT as numbers.
    private static func text(_ value: MySQLValue, _ column: TableMap.Column) throws -> String {
        switch value {
        case .null: "NULL"
        case .int(let value): value.description
        case .uint(let value), .bit(let value), .set(let value): value.description
        case .enumeration(let number): number.description
        case .float(let value): ServerDouble.text(Double(value))
        case .double(let value): ServerDouble.text(value)
        case .decimal(let text), .time(let text), .datetime(let text), .timestamp(let text): text
        case .date(let date): date.description
        case .year(let year): year == 0 ? "0000" : year.description
        case .bytes(let bytes): hexadecimal(bytes + [UInt8](repeating: 0, count: max(0, column.binaryLength - bytes.count)))
        case .json(let bytes): hexadecimal(Array(try BinaryJSON.render(bytes).utf8))
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [Hexadecimal.digit($0 >> 4), Hexadecimal.digit($0 & 15)] }, as: UTF8.self).uppercased()
    }

    @Test(arguments: ["types/full.bin", "types/minimal.bin"])
    func everyTypeReadsAsSelectShowsIt(file: String) throws {
        let expected = try Fixture.lines("types/expected.tsv").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        let names = expected[0]
        var row = 0
        for (event, _) in try Fixture.events(try Fixture.bytes(file)) {
            guard case .rows(let rows) = event.body else { continue }
            #expect(rows.kind == .insert)
            try rows.forEachRow { before, after in
                #expect(before == nil)
                let image = try #require(after)
                row += 1
                try #require(rows.map.columns.count == names.count && row < expected.count)
                for index in names.indices {
                    let column = rows.map.columns[index]
                    let text = try Self.text(try image.value(at: index, in: rows.map), column)
                    #expect(text == expected[row][index], "\(file), row \(row), column \(names[index])")
                }
            }
        }
        #expect(row == expected.count - 1)
    }

    @Test func fullMetadata() throws {
        let map = try Self.map(of: "types/full.bin")
        func column(_ name: String) throws -> TableMap.Column { try #require(map.columns.first { $0.name == name }) }
        #expect(map.schema == "fx" && map.table == "types")
        #expect(map.columns.map(\.name).prefix(3) == ["id", "i8", "u8"])
        #expect(map.primaryKey == [0])
        #expect(try column("i8").isUnsigned == false)
        #expect(try column("u8").isUnsigned == true)
        #expect(try column("after_year").isUnsigned == true, "YEAR has a signedness bit of its own")
        #expect(try column("f").isUnsigned == false && column("du").isUnsigned == true && column("vis").isUnsigned == false)
        #expect(try column("decu").isUnsigned == true)
        #expect(try column("e").members?.map { String(decoding: $0, as: UTF8.self) } == ["a", "b", "ü,'"])
        #expect(try column("e300").members?.count == 300)
        #expect(try column("s64").members?.count == 64)
        #expect(try column("el").members?.first == [0xe4])
        #expect(try column("el").collationID.flatMap(CollationTable.characterSet(of:)) == "latin1")
        #expect(try column("c10").collationID.flatMap(CollationTable.characterSet(of:)) == "utf8mb4")
        #expect(try column("mt").collationID.flatMap(CollationTable.characterSet(of:)) == "utf16")
        #expect(try column("t_gbk").collationID.flatMap(CollationTable.characterSet(of:)) == "gbk")
        #expect(try column("bi").collationID == 63)
        #expect(try column("bi").binaryLength == 16)
        #expect(try column("c10").binaryLength == 0)
        #expect(try column("pt").geometryType == 1)
        #expect(try column("ge").geometryType == 0)
        #expect(try column("ve9").vectorDimension == 9000)
        #expect(try column("vis").isVisible == false)
        #expect(try column("gs").isVisible == true)
        #expect(try column("id").isNullable == false)
        #expect(try column("i8").isNullable == true)
    }

    @Test func minimalMetadata() throws {
        let map = try Self.map(of: "types/minimal.bin")
        #expect(map.columns.allSatisfy { $0.name == nil && $0.members == nil && $0.isVisible == nil })
        #expect(map.primaryKey == nil)
        #expect(map.columns[1].isUnsigned == false && map.columns[2].isUnsigned == true)
        #expect(map.columns.filter { $0.type == .string || $0.type == .varchar }.allSatisfy { $0.collationID != nil })
    }

    private static func map(of file: String) throws -> TableMap {
        for (event, _) in try Fixture.events(try Fixture.bytes(file)) {
            if case .tableMap(let map) = event.body { return map }
        }
        throw BinlogError(offset: 0, reason: "no table map in \(file)")
    }

    /// An integer is never read with a guessed sign.
    @Test func unknownSignednessIsAnError() throws {
        for (event, _) in try Fixture.events(try Fixture.bytes("types/full.bin")) {
            guard case .rows(let rows) = event.body else { continue }
            var columns = rows.map.columns
            for index in columns.indices { columns[index].isUnsigned = nil }
            let map = TableMap(tableID: rows.map.tableID, flags: rows.map.flags, schema: rows.map.schema, table: rows.map.table, columns: columns)
            try rows.forEachRow { _, after in
                let image = try #require(after)
                if image.isNull(1) { return }
                #expect(throws: BinlogError.self) { try image.value(at: 1, in: map) }
                _ = try image.value(at: 1, in: map, isUnsigned: true)
            }
        }
    }
}
