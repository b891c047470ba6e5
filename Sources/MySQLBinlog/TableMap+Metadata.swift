import MySQLTypes

/// Types of the optional metadata fields. Source: MySQL source documentation, `Optional_metadata_field_type`.
private enum MetadataField: UInt8 {
    case signedness = 1, defaultCharset = 2, columnCharset = 3, columnName = 4, setValues = 5, enumValues = 6
    case geometryType = 7, simplePrimaryKey = 8, primaryKeyWithPrefix = 9, enumSetDefaultCharset = 10
    case enumSetColumnCharset = 11, visibility = 12, vectorDimensionality = 13
}

extension TableMap.Content {
    /// Reads type-length-value fields until the cursor's end. Unknown fields are passed over: they are optional by
    /// definition, and a value that cannot be read without one is refused where it is read.
    mutating func readOptionalMetadata(_ cursor: inout ByteCursor) throws(BinlogError) {
        while !cursor.isAtEnd {
            let code = try cursor.u8("optional metadata type")
            let length = try cursor.length("optional metadata \(code)")
            var field = ByteCursor(cursor.bytes, from: cursor.position, to: cursor.position + length, base: cursor.base)
            cursor.position += length
            switch MetadataField(rawValue: code) {
            case .signedness: try readBits(&field, of: indices(\.isNumeric)) { $0.isUnsigned = $1 }
            case .visibility: try readBits(&field, of: Array(columns.indices)) { $0.isVisible = $1 }
            case .defaultCharset: try readDefaultCollation(&field, of: indices(\.isCharacter))
            case .columnCharset: try readCollations(&field, of: indices(\.isCharacter))
            case .enumSetDefaultCharset: try readDefaultCollation(&field, of: indices(\.isEnumOrSet))
            case .enumSetColumnCharset: try readCollations(&field, of: indices(\.isEnumOrSet))
            case .columnName: try readNames(&field)
            case .setValues: try readMembers(&field, of: columns.indices.filter { columns[$0].type == .set })
            case .enumValues: try readMembers(&field, of: columns.indices.filter { columns[$0].type == .enumeration })
            case .geometryType:
                for index in columns.indices where columns[index].type == .geometry && !field.isAtEnd {
                    columns[index].geometryType = try number(&field, "geometry type")
                }
            case .vectorDimensionality:
                for index in columns.indices where columns[index].type == .vector && !field.isAtEnd {
                    columns[index].vectorDimension = try number(&field, "vector dimensionality")
                }
            case .simplePrimaryKey: try readPrimaryKey(&field, hasPrefixes: false)
            case .primaryKeyWithPrefix: try readPrimaryKey(&field, hasPrefixes: true)
            case nil: break
            }
        }
    }

    private func indices(_ condition: KeyPath<Column, Bool>) -> [Int] {
        columns.indices.filter { columns[$0][keyPath: condition] }
    }

    private func number(_ field: inout ByteCursor, _ what: String) throws(BinlogError) -> UInt32 {
        let value = try field.lengthEncoded(what)
        guard let number = UInt32(exactly: value) else { throw field.failure("\(what) \(value) is out of range") }
        return number
    }

    /// One bit per column, the highest bit first.
    private mutating func readBits(
        _ field: inout ByteCursor, of indices: [Int], _ set: (inout Column, Bool) -> Void
    ) throws(BinlogError) {
        let range = try field.range((indices.count + 7) / 8, "bits of columns")
        for (place, index) in indices.enumerated() {
            set(&columns[index], field.bytes[range.lowerBound + place >> 3] << UInt8(place & 7) & 0x80 != 0)
        }
    }

    /// A collation for all these columns, then (place among these columns, collation) for the exceptions.
    private mutating func readDefaultCollation(_ field: inout ByteCursor, of indices: [Int]) throws(BinlogError) {
        let common = try number(&field, "default collation")
        for index in indices { columns[index].collationID = common }
        while !field.isAtEnd {
            let place = try field.lengthEncoded("place of a column with its own collation")
            guard place < UInt64(indices.count) else { throw field.failure("collation for text column \(place) of \(indices.count)") }
            columns[indices[Int(place)]].collationID = try number(&field, "collation")
        }
    }

    private mutating func readCollations(_ field: inout ByteCursor, of indices: [Int]) throws(BinlogError) {
        for index in indices { columns[index].collationID = try number(&field, "collation") }
    }

    private mutating func readNames(_ field: inout ByteCursor) throws(BinlogError) {
        for index in columns.indices {
            columns[index].name = try field.text(try field.length("column name"), "column name")
        }
    }

    private mutating func readMembers(_ field: inout ByteCursor, of indices: [Int]) throws(BinlogError) {
        for index in indices {
            let count = try field.lengthEncoded("number of members")
            guard count <= UInt64(field.remaining) else { throw field.failure("\(count) members do not fit") }
            var members: [[UInt8]] = []
            members.reserveCapacity(Int(count))
            for _ in 0..<count { members.append(try field.take(try field.length("member"), "member")) }
            columns[index].members = members
        }
    }

    private mutating func readPrimaryKey(_ field: inout ByteCursor, hasPrefixes: Bool) throws(BinlogError) {
        var key: [Int] = []
        var prefixes: [Int] = []
        while !field.isAtEnd {
            let index = try field.lengthEncoded("primary key column")
            guard index < UInt64(columns.count) else { throw field.failure("primary key column \(index) of \(columns.count)") }
            key.append(Int(index))
            if hasPrefixes { prefixes.append(Int(try number(&field, "prefix length"))) }
        }
        primaryKey = key
        if hasPrefixes { primaryKeyPrefixes = prefixes }
    }
}
