import Foundation
import GodwitTesting
import SystemPackage

/// Debian's Ruby (`script/setup-host`), or the one that `GODWIT_RUBY` names: the judge of what an edited file means.
enum RubyRig {
    static func program() throws -> String {
        let own = ProcessInfo.processInfo.environment["GODWIT_RUBY"] ?? ""
        let program = own.isEmpty ? "/usr/bin/ruby" : own
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw TestingError("no \(program): run script/setup-host, or name one with GODWIT_RUBY")
        }
        return program
    }

    /// Runs a script; its output's lines.
    static func run(_ script: String, _ arguments: [String] = [], standardError: Bool = false) async throws -> [String] {
        let ruby = try await GuardedProcess.start(
            program(), ["-W0", "-e", script] + arguments, environment: ["RUBYOPT": nil, "LANG": "C.UTF-8"])
        let exit = try await withTimeLimit(.seconds(300), "ruby does not end") { try await ruby.wait() }
        guard exit == .code(0) else { throw TestingError("ruby ended with \(exit): \(ruby.standardError.tail())") }
        return ruby.standardOutput.lines
    }

    /// What Ruby says of each file of a folder.
    struct Verdict: Decodable, Sendable {
        var file: String
        /// As `ruby -c` decides.
        var isAccepted: Bool
        /// Setting to value, as `inspect` shows it, after the file was run with objects that take every setting; nil where it
        /// raised something.
        var values: [String: String]?
    }

    /// All files of a folder, judged by one process. Files that run code of their own run in it: only for files made by tests.
    static func judge(_ folder: FilePath, run: Bool = true) async throws -> [String: Verdict] {
        let lines = try await Self.run(judgeScript, [folder.string, run ? "run" : "read"])
        var verdicts: [String: Verdict] = [:]
        for line in lines where line.hasPrefix("{") {
            let verdict = try JSONDecoder().decode(Verdict.self, from: Data(line.utf8))
            verdicts[verdict.file] = verdict
        }
        return verdicts
    }

    private static let judgeScript = """
        require 'json'; require 'timeout'; require 'stringio'
        class Settings < Hash
          def [](k); super(k.to_s) || (store(k.to_s, Settings.new(@path.to_s + '.' + k.to_s)) && super(k.to_s)); end
          def []=(k, v); $set[@path.to_s + '.' + k.to_s] = v.inspect; super(k.to_s, v); end
          def initialize(path); @path = path; super(); end
          def +(o); self; end
        end
        class Proc
          def inspect; 'proc'; end
        end
        class Box
          def inspect; 'box'; end
          def mysql; @mysql ||= Settings.new('mysql'); end
          def app; @app ||= Settings.new('app'); end
          def foo(*a, **k); yield(1) if block_given?; self; end
          def bar(*a); self; end
          def external_url(*a); end
          def look(text, name); instance_eval(text, name); end
        end
        out = STDOUT.dup
        $stdout = StringIO.new
        Dir.children(ARGV[0]).sort.each do |name|
          # As bytes in UTF-8, which is how Ruby reads a file without a magic comment.
          text = File.binread(File.join(ARGV[0], name)).force_encoding('UTF-8')
          accepted = begin; RubyVM::InstructionSequence.compile(text, name); true; rescue SyntaxError, ArgumentError, EncodingError; false; end
          values = nil
          if accepted && ARGV[1] == 'run'
            $set = {}
            begin
              Timeout.timeout(5) { Box.new.look(text.sub(/^__END__\\r?$.*/m, ''), name) }
              values = $set
            rescue Exception
            end
          end
          values = values.transform_values { |v| v.dup.force_encoding('UTF-8').scrub } if values
          out.puts JSON.generate({ file: name, isAccepted: accepted, values: values })
        end
        """
}
