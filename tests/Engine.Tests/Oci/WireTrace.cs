using System.Globalization;
using System.Text.RegularExpressions;

namespace Moat.Engine.Tests.Oci;

/// <summary>What tcpdump(8) sees of TCP on the host's end of a veth pair while something happens, a line for each segment: <c>&lt;</c> to the sandbox or <c>&gt;</c> from it, flags, sequence numbers
/// relative to the SYN with the length, acknowledgment, and of the options what does not change from run to run.</summary>
internal sealed partial class WireTrace : IDisposable
{
    private readonly VethNetwork _network;
    private readonly string _file;
    private readonly string _process;

    /// <summary>Begins to look.</summary>
    /// <param name="network">With the host's end of the pair.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="filter">Which packets.</param>
    public WireTrace(VethNetwork network, string folder, string filter)
    {
        _network = network;
        _file = Path.Combine(folder, "trace.pcap");
        string script = $"tcpdump -Z root -i eth0 -n -U --immediate-mode -w {_file} '{filter}' > {_file}.log 2>&1 & until grep -q listening {_file}.log || ! kill -0 $!; do sleep 0.02; done; echo $!";
        _process = network.OnHost(script).Output.Trim();
    }

    /// <summary>The segments so far.</summary>
    public IReadOnlyList<WireSegment> Read()
    {
        List<WireSegment> segments = [];
        Dictionary<string, uint> initial = [];
        foreach (string line in _network.OnHost($"tcpdump -n -t -S -r {_file} 2> /dev/null").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Match match = Line().Match(line);
            Assert.True(match.Success, line);
            string from = match.Groups["from"].Value;
            string to = match.Groups["to"].Value;
            string flags = match.Groups["flags"].Value;
            int length = int.Parse(match.Groups["length"].Value, CultureInfo.InvariantCulture);
            uint? sequence = match.Groups["seq"].Success ? uint.Parse(match.Groups["seq"].Value, CultureInfo.InvariantCulture) : null;
            uint? acknowledgment = match.Groups["ack"].Success ? uint.Parse(match.Groups["ack"].Value, CultureInfo.InvariantCulture) : null;
            if (flags.Contains('S', StringComparison.Ordinal))
            {
                initial[from] = sequence!.Value;
            }

            uint own = initial.GetValueOrDefault(from);
            uint peers = initial.GetValueOrDefault(to);
            segments.Add(new WireSegment(
                from.StartsWith(VethNetwork.Container + ".", StringComparison.Ordinal),
                flags,
                sequence is null ? null : sequence.Value - own,
                length,
                acknowledgment is null ? null : acknowledgment.Value - peers,
                Sacks(match.Groups["options"].Value, peers),
                flags.Contains('S', StringComparison.Ordinal) ? SynOptions(match.Groups["options"].Value) : ""));
        }

        return segments;
    }

    /// <inheritdoc/>
    public void Dispose() => _network.OnHost($"kill {_process}");

    private static List<(uint Left, uint Right)> Sacks(string options, uint initial)
    {
        List<(uint Left, uint Right)> blocks = [];
        foreach (Match block in SackBlock().Matches(options))
        {
            blocks.Add((uint.Parse(block.Groups[1].Value, CultureInfo.InvariantCulture) - initial, uint.Parse(block.Groups[2].Value, CultureInfo.InvariantCulture) - initial));
        }

        return blocks;
    }

    // Names without values, in alphabetical order: each stack has an order, and values, of its own.
    private static string SynOptions(string options) =>
        string.Join(',', options.Split(',').Select(static option => option.Trim().Split(' ')[0]).Where(static option => option is not ("nop" or "eol" or "")).Order(StringComparer.Ordinal));

    [GeneratedRegex(@"^IP (?<from>\S+) > (?<to>\S+): Flags \[(?<flags>[^\]]*)\](, seq (?<seq>\d+)(:\d+)?)?(, ack (?<ack>\d+))?(, win \d+)?(, urg \d+)?(, options \[(?<options>[^\]]*)\])?, length (?<length>\d+)")]
    private static partial Regex Line();

    [GeneratedRegex(@"\{(\d+):(\d+)\}")]
    private static partial Regex SackBlock();
}
