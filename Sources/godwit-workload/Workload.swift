@main
struct Workload {
    static func main() {}
}
