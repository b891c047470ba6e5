/// A table of text with aligned columns.
struct TextTable {
    struct Column {
        var title: String
        var isNumber: Bool
        init(_ title: String, number: Bool = false) {
            self.title = title
            isNumber = number
        }
    }
    struct Cell {
        var text: String
        var tone: Paint.Tone
        init(_ text: String, _ tone: Paint.Tone = .plain) {
            self.text = TextWidth.printable(text)
            self.tone = tone
        }
    }
    var columns: [Column]
    var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// Title line, rule, rows; no line ends in a space.
    func lines(_ paint: Paint) -> [String] {
        let widths = columns.indices.map { index in
            rows.reduce(TextWidth.of(columns[index].title)) { max($0, TextWidth.of($1[index].text)) }
        }
        var lines = [line(columns.map { Cell($0.title, .strong) }, widths, paint)]
        lines.append(widths.map { String(repeating: "-", count: $0) }.joined(separator: "  "))
        lines += rows.map { line($0, widths, paint) }
        return lines
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ paint: Paint) -> String {
        var line = ""
        var pending = ""
        for (index, cell) in cells.enumerated() {
            let space = String(repeating: " ", count: widths[index] - TextWidth.of(cell.text))
            let isNumber = columns[index].isNumber
            if !cell.text.isEmpty {
                line += pending + (isNumber ? space : "") + paint(cell.text, cell.tone)
                pending = isNumber ? "" : space
            } else {
                pending += space
            }
            pending += "  "
        }
        return line
    }
}
