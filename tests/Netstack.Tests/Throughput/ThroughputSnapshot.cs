using System.Globalization;

namespace Moat.Netstack.Tests.Throughput;

/// <summary>The throughput of every cell, as it was when somebody last looked at it: <c>throughput.snapshot</c> beside this file.</summary>
internal static class ThroughputSnapshot
{
    /// <summary>Rewrites the file, for a review of the change.</summary>
    public const string AcceptCommand = "tools/accept-throughput";

    private const string Accepts = "ACCEPT_THROUGHPUT";

    private static string FileName => Path.Combine(TreeRoot(), "tests", "Netstack.Tests", "Throughput", "throughput.snapshot");

    /// <summary>Whether results are written instead of compared.</summary>
    public static bool IsAccepting => Environment.GetEnvironmentVariable(Accepts) is not null;

    /// <summary>A line of the file.</summary>
    public static string Line(GridCell cell, GridResult up, GridResult down) =>
        string.Create(CultureInfo.InvariantCulture, $"{cell.Name} | {up.KilobytesPerSecond,6} kB/s {up.Retransmissions,4} again {up.Timeouts,2} timeouts | {down.KilobytesPerSecond,6} kB/s {down.Retransmissions,4} again {down.Timeouts,2} timeouts");

    /// <summary>The throughput of a cell in both directions, as the file has it; null if it does not.</summary>
    public static (int Up, int Down)? Find(GridCell cell)
    {
        foreach (string line in File.ReadLines(FileName))
        {
            if (line.StartsWith(cell.Name + " |", StringComparison.Ordinal))
            {
                string[] parts = line.Split('|');
                return (Number(parts[1]), Number(parts[2]));
            }
        }

        return null;
    }

    /// <summary>Puts lines in the place of those of the same cells, or at the end.</summary>
    public static void Replace(IReadOnlyList<string> lines)
    {
        List<string> all = [.. File.ReadLines(FileName)];
        foreach (string line in lines)
        {
            string name = line[..(line.IndexOf('|', StringComparison.Ordinal) + 1)];
            int index = all.FindIndex(other => other.StartsWith(name, StringComparison.Ordinal));
            if (index < 0)
            {
                all.Add(line);
            }
            else
            {
                all[index] = line;
            }
        }

        File.WriteAllLines(FileName, all);
    }

    private static int Number(string part) => int.Parse(part.Trim().Split(' ')[0], CultureInfo.InvariantCulture);

    private static string TreeRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Moat.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("no Moat.slnx above the tests");
    }
}
