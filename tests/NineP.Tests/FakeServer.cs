namespace Moat.NineP.Tests;

/// <summary>A server whose answers a test writes before the client asks.</summary>
internal sealed class FakeServer
{
    private readonly MemoryTransport _client;
    private readonly MemoryTransport _server;
    private readonly NinePWriter _writer = new(NinePServer.MaxMessage);

    public FakeServer() => (_client, _server) = MemoryTransport.CreatePair();

    /// <summary>Writes an answer's fields.</summary>
    public delegate void Fields(NinePWriter writer);

    /// <summary>A client that has agreed on the extended version and attached.</summary>
    public NinePClient Connect()
    {
        Answer(NinePMessageType.Tversion + 1, static writer =>
        {
            writer.UInt32(8192);
            writer.String(NinePVersion.Extended);
        }, tag: ushort.MaxValue);
        Answer(NinePMessageType.Tattach + 1, static writer => writer.Qid(default));
        return NinePClient.Connect(_client, static _ => { }, 0, "").Value;
    }

    /// <summary>Gives the next request this answer.</summary>
    public void Answer(NinePMessageType type, Fields fields, ushort tag = 1)
    {
        _writer.Begin((byte)type, tag);
        fields(_writer);
        _server.Send(_writer.End(), []);
    }
}
