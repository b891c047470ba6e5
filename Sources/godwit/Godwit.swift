import GodwitCommands

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@main
struct Godwit {
    static func main() async {
        exit(await Program.main(Array(CommandLine.arguments.dropFirst())))
    }
}
