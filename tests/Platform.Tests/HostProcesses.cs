namespace Moat.Platform.Tests;

/// <summary>What the host's /proc says of this process.</summary>
internal static class HostProcesses
{
    /// <summary>The children of all its threads.</summary>
    public static IEnumerable<int> Children() =>
        Directory.GetDirectories("/proc/self/task").SelectMany(thread => File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse);
}
