using BenchmarkDotNet.Attributes;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Benchmarks;

/// <summary>Finding places by their paths in a tmpfs whose names are all in the cache.</summary>
public class PathWalkBenchmarks
{
    private readonly BenchKernel _kernel = new();
    private byte[] _path = [];

    /// <summary>How many names the path has.</summary>
    [Params(1, 5)]
    public int Names { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        string path = "";
        for (int i = 0; i < Names; i++)
        {
            path += $"/directory{i}";
            _kernel.Call(SyscallNumber.mkdir, _kernel.Text(path, 0), 0x1ed);
        }

        _path = System.Text.Encoding.UTF8.GetBytes(path);
    }

    [Benchmark]
    public bool Resolve() => PathWalker.Resolve(_kernel.Task, _kernel.Task.Fs.WorkingDirectory, _path, WalkFlags.None).IsOk;
}
