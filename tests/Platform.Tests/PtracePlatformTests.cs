using Moat.Platform.Ptrace;

namespace Moat.Platform.Tests;

[Collection("children of this process")]
public sealed class PtracePlatformTests() : PlatformTests(new PtracePlatform())
{
    [Fact]
    public void Stub_HoldsNothingOfTheSentrys()
    {
        for (int i = 0; i < 20; i++)
        {
            using PtracePlatform platform = new();
            HashSet<int> before = [.. HostProcesses.Children()];
            using IAddressSpace space = platform.NewAddressSpace().Value;
            foreach (int stub in HostProcesses.Children())
            {
                string[] mappings = File.ReadAllLines($"/proc/{stub}/maps");
                if (mappings.Length == 0)
                {
                    continue; // killed, and waiting to be reaped
                }

                // Besides the platform's own there is what any process has of the kernel: the vDSO and its data.
                string[] others = [.. mappings.Where(static line => !line.EndsWith("[vdso]", StringComparison.Ordinal) && !line.Contains("[vvar", StringComparison.Ordinal))];
                Assert.All(others, line => Assert.Matches("^(7ff[b-e]|ffffffffff600000)|moat-orders", line));
                Assert.InRange(others.Length, 3, 4);
                Assert.Contains("\nSeccomp:\t2\n", File.ReadAllText($"/proc/{stub}/status"), StringComparison.Ordinal);
            }

            Assert.Single(HostProcesses.Children().Except(before));
        }
    }
}
