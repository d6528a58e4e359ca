using Moat.Linux;
using Moat.NineP;

namespace Moat.Fuzz.Targets;

/// <summary>A file server that does not keep to the rules: each part of a script is a call that the client makes and the answer to it.</summary>
internal sealed class FileClientTarget : FuzzTarget
{
    private const byte Calls = 15;
    private const byte IsRaw = 16; // the answer's header too is the script's
    private const byte IsError = 32;
    private const uint Fid = NinePClient.RootFid;
    private const int MaxFiles = 100;

    /// <inheritdoc/>
    public override string Name => "file-client";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        byte[] attributes = new byte[NinePAttributes.BytesInMessage];
        attributes[8] = 0x80;
        byte[] file = [4, 0, .. "file"u8, .. attributes, 2, 0, .. "to"u8];
        byte[] list = [.. attributes, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, .. file, .. file];
        byte[] below = [.. list, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, .. file];
        List<byte[]> seeds = [.. Enumerable.Range(0, Calls + 1).Select(call => Script.Of([((byte)call, attributes), ((byte)(call | IsError), [2, 0, 0, 0])]))];
        seeds.Add(Script.Of([(3, [5, 0, 0, 0, .. "hello"u8])]));
        seeds.Add(Script.Of([(4, [28, 0, 0, 0, .. new byte[22], 4, 0, .. "file"u8])]));
        seeds.Add(Script.Of([(5, [2, 0, .. "to"u8])]));
        seeds.Add(Script.Of([(8, list), (9, below)]));
        seeds.Add(Script.Of([(9, [.. list[..^(2 * file.Length)], 0, 0]), (9, below)]));
        seeds.Add(Script.Of([(10, [.. attributes, 2, 0, 0, 0, 1, 0, .. attributes, 0, 0])]));
        seeds.Add(Script.Of([(11, [.. attributes, 2, 0, .. "to"u8])]));
        seeds.Add(Script.Of([(IsRaw, [11, 0, 0, 0, 7, 1, 0, 2, 0, 0, 0])]));
        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        ScriptTransport transport = new();
        transport.Say([(byte)NinePMessageType.Tversion + 1, 0xff, 0xff, 0, 32, 0, 0, (byte)NinePVersion.Extended.Length, 0, .. System.Text.Encoding.UTF8.GetBytes(NinePVersion.Extended)]);
        transport.Say([(byte)NinePMessageType.Tattach + 1, 1, 0, .. new byte[13]]);
        NinePClient client = NinePClient.Connect(transport, static _ => { }, 0, "").Value;
        Assert.True(client.IsExtended);
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> bytes))
        {
            int call = operation & Calls;
            if ((operation & IsRaw) != 0)
            {
                transport.SayRaw(bytes);
            }
            else
            {
                transport.Say([(operation & IsError) != 0 ? (byte)NinePMessageType.Rlerror : (byte)(TypeOf(call) + 1), 1, 0, .. bytes]);
            }

            Call(client, call);
        }
    }

    private static NinePMessageType TypeOf(int call) => call switch
    {
        0 => NinePMessageType.Twalk,
        1 => NinePMessageType.Tgetattr,
        2 => NinePMessageType.Tlopen,
        3 => NinePMessageType.Tread,
        4 => NinePMessageType.Treaddir,
        5 => NinePMessageType.Treadlink,
        6 => NinePMessageType.Twrite,
        7 => NinePMessageType.Tstatfs,
        8 or 9 => NinePMessageType.Tlist,
        10 => NinePMessageType.Tlookuppath,
        11 => NinePMessageType.Tlookup,
        12 => NinePMessageType.Topenat,
        13 => NinePMessageType.Topenmany,
        14 => NinePMessageType.Trenameat,
        _ => NinePMessageType.Tclunk,
    };

    private static void Call(NinePClient client, int call)
    {
        switch (call)
        {
            case 0:
                _ = client.Walk(Fid, "file"u8);
                break;
            case 1:
                _ = client.GetAttributes(Fid);
                break;
            case 2:
                _ = client.Open(Fid, OpenFlags.O_RDONLY);
                break;
            case 3:
                _ = client.Read(Fid, 0, new byte[64]);
                break;
            case 4:
                _ = client.ReadDirectory(Fid, 0);
                break;
            case 5:
                _ = client.ReadLink(Fid);
                break;
            case 6:
                Assert.True(!client.Write(Fid, 0, new byte[64]).TryGet(out int count, out _) || count <= 64);
                break;
            case 7:
                _ = client.GetStatistics(Fid);
                break;
            case 8 or 9:
                List(client, call == 9);
                break;
            case 10:
                _ = client.LookupPath(Fid, "a//b/c"u8, [], out _);
                break;
            case 11:
                _ = client.Lookup(Fid, "file"u8);
                break;
            case 12:
                _ = client.OpenAt(Fid, "file"u8, OpenFlags.O_RDONLY);
                break;
            case 13:
                _ = client.OpenMany(Fid, [new FileName("a"u8), new FileName("b"u8)], OpenFlags.O_RDONLY, []);
                break;
            case 14:
                _ = client.Rename(Fid, "a"u8, Fid, "b"u8);
                break;
            default:
                client.Clunk(Fid + 1);
                break;
        }
    }

    private static void List(NinePClient client, bool wantsBelow)
    {
        List<NinePListedFile> files = [];
        List<NinePListedDirectory>? below = wantsBelow ? [] : null;
        _ = client.List(Fid, "x"u8, MaxFiles, files, below, wantsFid: wantsBelow, out _, out _);
        Assert.InRange(files.Count, 0, MaxFiles);
        Assert.All(files, static file => Assert.False(file.Name.Bytes.IndexOfAny((byte)'/', (byte)0) >= 0));
    }
}
