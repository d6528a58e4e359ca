namespace Moat.Netstack.Link;

/// <summary>What a <see cref="LinkBacklog"/> needs of whoever embeds it.</summary>
public interface IBacklogHost
{
    /// <summary>Asks for a call of <see cref="LinkBacklog.Run"/> soon, from a thread that holds no lock of a stack. Any thread, any lock: must not call back.</summary>
    void RunSoon();
}
