import Foundation
import MySQLBinlog
import MySQLTypes
import NIOCore
import Testing

@testable import GodwitEngine

@Suite struct JSONExpressionTests {
    private static func sql(_ text: String, _ typed: [TypedJSONValue]) -> String {
        var sql = SQLBuffer()
        JSONExpression.append(Array(text.utf8), typed: typed, to: &sql)
        return String(decoding: sql.bytes.readableBytesView, as: UTF8.self)
    }

    @Test(arguments: [
        (.decimal("1.10"), "1.10"), (.decimal("-15"), "-15."), (.date("2020-01-01"), "DATE'2020-01-01'"), (.time("-00:00:01.000000"), "TIME'-00:00:01.000000'"),
        (.datetime("2020-01-01 00:00:00.000000"), "TIMESTAMP'2020-01-01 00:00:00.000000'"), (.signed(5_000_000_000), "CAST(5000000000 AS SIGNED)"),
        (.unsigned(5), "CAST(5 AS UNSIGNED)"), (.bytes(field: 15, [0, 255]), "x'00ff'"), (.bytes(field: 15, []), "x''"),
    ] as [(TypedJSONValue.Value, String)])
    func forms(value: TypedJSONValue.Value, expression: String) {
        #expect(JSONExpression.expression(value) == expression)
        #expect(Self.sql("[1]", [TypedJSONValue(path: "$[0]", value: value)]) == "JSON_REPLACE(_utf8mb4'[1]',_utf8mb4'$[0]',\(expression))")
    }

    /// Without an expression the text goes alone: the comparison finds it.
    @Test(arguments: [
        .bytes(field: 249, [1]), .bytes(field: 254, []), .bytes(field: 16, [UInt8](repeating: 1, count: 9)), .timestamp("1969-12-31 00:00:00.000000"),
    ] as [TypedJSONValue.Value])
    func textIsTheLast(value: TypedJSONValue.Value) {
        #expect(Self.sql("[1]", [TypedJSONValue(path: "$[0]", value: value)]) == "_utf8mb4'[1]'")
    }

    /// Numbers and paths as the server gives them for this document (measured on 9.7).
    @Test func valuesAreFoundByNumber() throws {
        let text = #"{"a": {"x": [1, [2, {"q\"\\": 3.0}]], "y": 2}, "b": [{"z": "5"}, 6], "c": 7}"#
        let types = #"[[6, null, "DECIMAL"], [7, null, "DATE"], [null, 3, "UNSIGNED INTEGER"], [null, 6, "DECIMAL"], [3, null, "DECIMAL"]]"#
        let values = try JSONTypes.values(of: Array(text.utf8), types: Array(types.utf8))
        #expect(values == [
            TypedJSONValue(path: "$.\"a\".\"x\"[1][0]", value: .unsigned(2)), TypedJSONValue(path: #"$."a"."x"[1][1]."q\"\\""#, value: .decimal("3.0")),
            TypedJSONValue(path: "$.\"b\"[0].\"z\"", value: .date("5")), TypedJSONValue(path: "$.\"b\"[1]", value: .decimal("6")),
            TypedJSONValue(path: "$.\"c\"", value: .decimal("7")),
        ])
        let root = try JSONTypes.values(of: Array(#""base64:type252:AP8=\nAA==""#.utf8.prefix(0)) + Array(#""base64:type252:AP8=""#.utf8), types: Array(#"[[null, null, "BLOB"]]"#.utf8))
        #expect(root == [TypedJSONValue(path: "$", value: .bytes(field: 252, [0, 255]))])
    }

    @Test(arguments: [
        ("[1]", #"[[null, 2, "DECIMAL"]]"#), ("[1]", #"[[1, null, "DECIMAL"]]"#), ("[1]", #"[[null, 1, "DATE"]]"#), ("[\"x\"]", #"[[null, 1, "BLOB"]]"#),
        ("[\"x\"]", #"[[null, 1, "DECIMAL"]]"#), ("[1", #"[[null, 1, "DECIMAL"]]"#), ("", "[[null, null, \"DECIMAL\"]]"), ("[1]", "[[1]]"), ("[1]", "x"),
        ("{\"a", #"[[1, null, "DECIMAL"]]"#), (String(repeating: "[", count: 5000), "[[null, 1, \"DECIMAL\"]]"),
    ])
    func listsThatDoNotFitAreErrors(text: String, types: String) {
        #expect(throws: EngineError.self) { try JSONTypes.values(of: Array(text.utf8), types: Array(types.utf8)) }
    }

    /// Binary documents name the values that their text loses: here [1.5 as DECIMAL, 5 unsigned, {"a": DATE}].
    @Test func binaryDocuments() throws {
        let decimal: [UInt8] = [15, 246, 4, 2, 1, 0x81, 5]
        let (text, typed) = try BinaryJSON.renderTyped(decimal)
        #expect(String(decoding: text, as: UTF8.self) == "1.5")
        #expect(typed == [TypedJSONValue(path: "$", value: .decimal("1.5"))])
        // Two cells: 5 unsigned, 5 signed, both inline.
        let numbers: [UInt8] = [2, 2, 0, 10, 0, 6, 5, 0, 5, 5, 0]
        #expect(try BinaryJSON.renderTyped(numbers).typed == [TypedJSONValue(path: "$[0]", value: .unsigned(5))])
        #expect(try BinaryJSON.renderTyped([]).typed.isEmpty)
    }
}
