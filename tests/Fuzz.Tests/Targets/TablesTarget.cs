using System.Buffers.Binary;
using System.Text;
using Moat.Kernel.Tests.Sockets;
using Moat.Linux;
using Moat.Netstack;
using Moat.Netstack.Filter;
using Moat.Sockets.Netfilter.Legacy;

namespace Moat.Fuzz.Targets;

/// <summary>Values of the socket options of iptables and ip6tables: tables that are replaced, counters, questions. What is taken is run on packets and read back.</summary>
internal sealed class TablesTarget : FuzzTarget
{
    private const byte Actions = 3;
    private const byte IsV6 = 4;
    private const byte IsTarget = 8;
    private const int SizeOffset = 40; // of struct ipt_replace
    private const int MaxAnswer = 1 << 20;

    private enum Action
    {
        Replace,
        AddCounters,
        GetInfo,
        GetRevision,
    }

    /// <inheritdoc/>
    public override string Name => "tables";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        List<byte[]> seeds = [];
        foreach (byte version in (byte[])[0, IsV6])
        {
            (byte[] entries, int[] hooks, int count) = XtTableBytes.Make(version == 0 ? XtLayout.V4 : XtLayout.V6);
            byte[] value = new byte[XtLayout.Replace + entries.Length];
            "filter"u8.CopyTo(value);
            BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(32), XtTableKind.All[0].ValidHooks);
            BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(36), count);
            BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(SizeOffset), entries.Length);
            for (int i = 0; i < hooks.Length; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(44 + (4 * i)), hooks[i]);
                BinaryPrimitives.WriteInt32LittleEndian(value.AsSpan(64 + (4 * i)), hooks[i]);
            }

            BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(84), 4); // rules of the table that is replaced: three policies and the end
            entries.CopyTo(value, XtLayout.Replace);
            byte[] counters = new byte[40 + (4 * XtLayout.Counters)];
            "filter"u8.CopyTo(counters);
            counters[XtLayout.TableName] = 4;
            byte[] info = new byte[XtLayout.Info];
            "nat"u8.CopyTo(info);
            seeds.Add(Script.Of([(version, value)]));
            seeds.Add(Script.Of([((byte)(version | (byte)Action.AddCounters), counters), ((byte)(version | (byte)Action.GetInfo), info), (version, value)]));
            foreach (string name in (string[])["tcp", "conntrack", "multiport", "DNAT", "MASQUERADE"])
            {
                byte[] revision = new byte[30];
                Encoding.ASCII.GetBytes(name).CopyTo(revision, 0);
                seeds.Add(Script.Of([((byte)(version | (byte)Action.GetRevision | (name == "DNAT" ? IsTarget : 0)), revision)]));
            }
        }

        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        NetworkStack stack = LoopbackTraffic.MakeStack();
        using LoopbackTraffic traffic = new(stack);
        XtTables v4 = new(stack.Filter, XtLayout.V4);
        XtTables v6 = new(stack.Filter, XtLayout.V6);
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> value))
        {
            XtTables tables = (operation & IsV6) != 0 ? v6 : v4;
            switch ((Action)(operation & Actions))
            {
                case Action.Replace:
                    if (tables.Replace(value, out _, out _) == Errno.None)
                    {
                        traffic.Run();
                        ReadBack(tables, value);
                    }

                    break;
                case Action.AddCounters:
                    _ = tables.AddCounters(value);
                    break;
                case Action.GetInfo:
                    byte[] answer = value.ToArray();
                    _ = tables.GetInfo(answer);
                    answer = value.ToArray();
                    _ = tables.GetEntries(answer);
                    break;
                default:
                    _ = tables.GetRevision(value, (operation & IsTarget) != 0);
                    break;
            }
        }
    }

    // What was taken has the size that was said.
    private static void ReadBack(XtTables tables, ReadOnlySpan<byte> value)
    {
        int size = BinaryPrimitives.ReadInt32LittleEndian(value[SizeOffset..]);
        byte[] answer = new byte[XtLayout.GetEntries + Math.Min(size, MaxAnswer)];
        value[..XtLayout.TableName].CopyTo(answer);
        BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(XtLayout.TableName), size);
        Assert.Equal(Errno.None, tables.GetEntries(answer));
    }
}
