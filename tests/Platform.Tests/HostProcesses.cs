namespace Moat.Platform.Tests;

/// <summary>What the host's /proc says of this process.</summary>
internal static class HostProcesses
{
    /// <summary>The children of all its threads.</summary>
    public static List<int> Children()
    {
        List<int> children = [];
        foreach (string thread in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                children.AddRange(File.ReadAllText($"{thread}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
            }
            catch (IOException)
            {
                // The thread has ended.
            }
        }

        return children;
    }
}
