namespace Moat.Filesystems.Tty;

/// <summary>What TCXONC does (tcflow(3)).</summary>
internal enum FlowAction
{
    /// <summary>TCOOFF.</summary>
    HoldOutput = 0,

    /// <summary>TCOON.</summary>
    ReleaseOutput = 1,

    /// <summary>TCIOFF: sends STOP.</summary>
    SendStop = 2,

    /// <summary>TCION: sends START.</summary>
    SendStart = 3,
}
