namespace Moat.Netstack.Filter;

/// <summary>Where on a packet's way it is looked at (NF_INET_*, with Linux's numbers).</summary>
public enum FilterHook
{
    /// <summary>It has come in; where it goes has not been decided.</summary>
    Prerouting,

    /// <summary>It is for this machine.</summary>
    Input,

    /// <summary>It is passed on.</summary>
    Forward,

    /// <summary>This machine sends it.</summary>
    Output,

    /// <summary>It is about to leave.</summary>
    Postrouting,
}
