using Moat.TestSupport;

[assembly: AssemblyFixture(typeof(Moat.Guest.Tests.CaseTable))]

namespace Moat.Guest.Tests;

/// <summary>How many cases of each family are the same in the sandbox as on Linux: a file and lines of the output, at the end of the run.</summary>
public sealed class CaseTable : IDisposable
{
    private static readonly SortedDictionary<string, (int Same, int Different)> s_counts = new(StringComparer.Ordinal);

    /// <summary>Counts a case.</summary>
    internal static void Count(string family, bool same)
    {
        lock (s_counts)
        {
            (int ok, int bad) = s_counts.GetValueOrDefault(family);
            s_counts[family] = same ? (ok + 1, bad) : (ok, bad + 1);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (s_counts)
        {
            if (s_counts.Count == 0)
            {
                return;
            }

            List<string> lines = [Line("family", "same", "different")];
            lines.AddRange(s_counts.Select(static pair => Line(pair.Key, $"{pair.Value.Same}", $"{pair.Value.Different}")));
            lines.Add(Line("all", $"{s_counts.Values.Sum(static counts => counts.Same)}", $"{s_counts.Values.Sum(static counts => counts.Different)}"));
            File.WriteAllLines(Path.Combine(Runsc.Repository, "artifacts", "guest", "table"), lines);
            lines.ForEach(Console.Out.WriteLine);
        }
    }

    private static string Line(string family, string same, string different) => $"   {family,-16}{same,6}{different,11}";
}
