@main
struct Godwit {
    static func main() {}
}
