using BenchmarkDotNet.Attributes;
using Moat.Netstack.Wire;

namespace Moat.Benchmarks;

/// <summary>The Internet's checksum (RFC 1071).</summary>
public class ChecksumBenchmarks
{
    private byte[] _packet = [];

    /// <summary>Bytes: a header, a full frame, a large segment.</summary>
    [Params(20, 1460, 65536)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _packet = new byte[Bytes];
        new Random(1).NextBytes(_packet);
    }

    [Benchmark]
    public ushort Checksum() => InternetChecksum.Of(_packet);
}
