import Foundation
import GodwitServer
import Testing

/// Requests that botocore 1.43 signed, at 2026-11-23 02:30:00 UTC, with the example secret of AWS's documentation.
@Suite struct SignatureTests {
    static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    static let signedAt = Date(timeIntervalSince1970: 1_795_401_000)
    static let verifier = SignatureVerifier { $0 == "AKIAEXAMPLE" ? secret : nil }

    static let json = SignedRequest(
        method: "POST", path: "/",
        headers: [
            ("Host", "127.0.0.1:8443"), ("X-Amz-Target", "AmazonDMSv20160101.DescribeEndpoints"),
            ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Date", "20261123T023000Z"),
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/us-east-1/dms/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=a4b9cd967c09c2cd5fa317b7da64d25fc41aea0b1fb7bcbe8fb46053c17d735c"
            ),
        ], body: Array("{}".utf8))
    static let query = SignedRequest(
        method: "GET", path: "/a%20b/c", query: "z=1&a=x%20y&a=b&empty=",
        headers: [
            ("host", "127.0.0.1:8443"), ("x-spaces", "  two   words "), ("x-amz-date", "20261123T023000Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/eu-central-1/monitoring/aws4_request, SignedHeaders=host;x-amz-date;x-spaces, Signature=38310010e81930adcaa75b1945a83c23473e6c65f0c153969041930a01e679f7"
            ),
        ])
    static let presigned = SignedRequest(
        method: "GET", path: "/",
        query:
            "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAEXAMPLE%2F20261123%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20261123T023000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=f42f06f1fdb1fdfadfd90ff75c6617a184bd45a144a6f587499bb119948c1a2b",
        headers: [("Host", "127.0.0.1:8443")])

    @Test(arguments: [(json, "us-east-1", "dms"), (query, "eu-central-1", "monitoring"), (presigned, "us-east-1", "sts")])
    func whatARealClientSigned(request: SignedRequest, region: String, service: String) throws {
        let identity = try Self.verifier.verify(request, now: Self.signedAt + 30)
        #expect(identity == .init(accessKey: "AKIAEXAMPLE", region: region, service: service))
    }

    @Test func aQuarterOfAnHourBothWays() throws {
        for seconds in [-900.0, 0, 900] { _ = try Self.verifier.verify(Self.json, now: Self.signedAt + seconds) }
        for seconds in [-901.0, 901] {
            #expect { try Self.verifier.verify(Self.json, now: Self.signedAt + seconds) } throws: {
                ($0 as? SignatureError)?.fault == "InvalidSignatureException"
            }
        }
        // A presigned request lives as long as it says.
        #expect(throws: SignatureError.self) { try Self.verifier.verify(Self.presigned, now: Self.signedAt + 61) }
    }

    @Test func everyByteIsSigned() {
        var body = Self.json
        body.body = Array("{ }".utf8)
        var header = Self.json
        header.headers[1].value = "AmazonDMSv20160101.DeleteEndpoint"
        var method = Self.query
        method.method = "PUT"
        var path = Self.query
        path.path = "/a%20b/d"
        var parameter = Self.query
        parameter.query = "z=2&a=x%20y&a=b&empty="
        for request in [body, header, method, path, parameter] {
            #expect(throws: SignatureError.mismatch) { try Self.verifier.verify(request, now: Self.signedAt) }
        }
        let others = SignatureVerifier { _ in "another" }
        #expect(throws: SignatureError.mismatch) { try others.verify(Self.json, now: Self.signedAt) }
    }

    @Test func eachFaultByName() {
        var unsigned = Self.json
        unsigned.headers.removeLast()
        #expect(throws: SignatureError.missingAuthenticationToken) {
            try Self.verifier.verify(unsigned, now: Self.signedAt)
        }
        let nobody = SignatureVerifier { _ in nil }
        #expect(throws: SignatureError.unrecognizedClient) { try nobody.verify(Self.json, now: Self.signedAt) }
        for text in [
            "", "Basic abc", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=",
            "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/us-east-1/dms/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
            "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/us-east-1/dms/aws4_request, SignedHeaders=x-amz-date, Signature=00",
        ] {
            var request = Self.json
            request.headers[4].value = text
            #expect {
                try Self.verifier.verify(request, now: Self.signedAt)
            } throws: {
                ($0 as? SignatureError)?.fault == "IncompleteSignatureException"
            }
        }
    }
}
