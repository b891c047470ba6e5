/// The error value of an ENUM: index 0, shown as ''. Strict mode refuses the number 0 and takes digits that mean it, as a file of LOAD
/// DATA would have them, unless they are a member: of `ENUM('0', 'a')` the text '0' is the first member (measured). Up to five digits
/// are read as a number. MariaDB 10.11 takes the value by no text at all without a warning (error 1265), and the row is refused there.
package enum EnumZero {
    /// - Throws: where members look like every such text.
    package static func text(_ column: ColumnDefinition) throws(EngineError) -> String {
        guard Remedy.enumZero.isOn else { return "0" }
        // Collations may take other digits for 0, and pass over other characters: only the number of digits counts.
        let taken = Set(
            ColumnMembers.parse(column).map { member in
                String(decoding: member, as: UTF8.self).unicodeScalars.count { $0.properties.numericType != nil }
            })
        guard let length = (1...5).first(where: { !taken.contains($0) }) else {
            throw EngineError(
                .failed, "Column \(SQL.identifier(column.name)) holds the error value of its ENUM, for which there is no literal.",
                why: "Its members are numbers of one, two, three, four and five digits, and would be taken for it.",
                cure: "UPDATE such rows on the source to NULL or to a member.")
        }
        return String(repeating: "0", count: length)
    }
}

extension Remedy { static let enumZero = Remedy("enum-zero", pitfalls: [21], test: "EnumZeroTests") }
