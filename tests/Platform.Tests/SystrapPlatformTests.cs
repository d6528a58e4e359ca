using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

[Collection("stubs")]
public sealed class SystrapPlatformTests() : PlatformTests(new SystrapPlatform())
{
    [Fact]
    public void Stub_HoldsNothingOfTheSentrys_AndEachThreadItsFilters()
    {
        using IAddressSpace space = Platform.NewAddressSpace().Value;
        List<int> stubs = HostProcesses.Children();
        Assert.Equal(3, stubs.Count); // the first, ours, and one that is kept ready
        foreach (int stub in stubs)
        {
            Assert.All(
                File.ReadAllLines($"/proc/{stub}/maps"),
                line => Assert.Matches("^7ff[b-e]0000[0-9a-f]{4}-|^ffffffffff600000|moat-threads", line));
            string[] threads = Directory.GetDirectories($"/proc/{stub}/task");
            foreach (string thread in threads)
            {
                string status = File.ReadAllText($"{thread}/status");
                int filters = thread.EndsWith($"/{stub}", StringComparison.Ordinal) ? 1 : 2;
                Assert.Contains($"\nSeccomp_filters:\t{filters}\n", status, StringComparison.Ordinal);
            }
        }
    }
}
