namespace Moat.Fuzz;

/// <summary>Makes inputs that nobody has thought of from ones that are right: bits, lengths, pieces.</summary>
internal sealed class Mutator(int seed)
{
    private const int MaxLength = 4096;
    private static readonly byte[] s_edges = [0, 1, 2, 3, 4, 5, 7, 8, 0x0f, 0x10, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff];

    private readonly Random _random = new(seed);

    /// <summary>A number below a limit.</summary>
    public int Below(int limit) => _random.Next(limit);

    /// <summary>An input of the given ones, changed.</summary>
    public byte[] Next(IReadOnlyList<byte[]> seeds)
    {
        List<byte> bytes = [.. seeds[Below(seeds.Count)]];
        for (int changes = 1 + Below(6); changes > 0; changes--)
        {
            Change(bytes, seeds);
        }

        return [.. bytes];
    }

    private void Change(List<byte> bytes, IReadOnlyList<byte[]> seeds)
    {
        int at = Below(bytes.Count + 1);
        int count = Math.Min(1 + Below(16), bytes.Count - at);
        switch (Below(7))
        {
            case 0 when count > 0:
                bytes[at] ^= (byte)(1 << Below(8));
                break;
            case 1 when count > 0:
                bytes[at] = s_edges[Below(s_edges.Length)];
                break;
            case 2 when count > 1:
                (bytes[at], bytes[at + 1]) = (s_edges[Below(s_edges.Length)], s_edges[Below(s_edges.Length)]);
                break;
            case 3:
                bytes.RemoveRange(at, count);
                break;
            case 4 when bytes.Count < MaxLength:
                bytes.InsertRange(at, bytes.GetRange(at, count));
                break;
            case 5 when bytes.Count < MaxLength:
                byte[] other = seeds[Below(seeds.Count)];
                int from = Below(other.Length + 1);
                bytes.InsertRange(at, other[from..Math.Min(other.Length, from + 1 + Below(64))]);
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
        }
    }
}
