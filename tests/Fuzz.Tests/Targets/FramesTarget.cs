namespace Moat.Fuzz.Targets;

/// <summary>Frames that arrive at a host with connections, neighbours and groups (<see cref="FuzzedHost"/>). A part of the script is a frame; its operation says how long to wait afterwards and whether checksums are written.</summary>
internal sealed class FramesTarget : FuzzTarget
{
    private const byte AfterAMillisecond = 0x10;

    /// <inheritdoc/>
    public override string Name => "frames";

    /// <inheritdoc/>
    public override IReadOnlyList<byte[]> MakeSeeds()
    {
        using FuzzedHost host = new();
        List<byte[]> seeds = [.. host.Frames.Select(static frame => Script.Of([(0, frame)]))];
        seeds.AddRange(host.Frames.Chunk(6).Select(static frames => Script.Of(frames.Select(static frame => (AfterAMillisecond, frame)))));
        return seeds;
    }

    /// <inheritdoc/>
    public override void Run(ReadOnlySpan<byte> input)
    {
        using FuzzedHost host = new();
        Script script = new(input);
        while (script.TryNext(out byte operation, out ReadOnlySpan<byte> bytes))
        {
            byte[] frame = bytes.ToArray();
            if (!HostScript.KeepsChecksums(operation))
            {
                FrameChecksums.Write(frame);
            }

            host.Link.Deliver(frame);
            HostScript.Wait(host, operation);
        }

        host.CheckMemory();
    }
}
