namespace Moat.Kernel.Memory;

/// <summary>Where the parts of a program are, for brk(2) and /proc/PID (stat, cmdline, environ, auxv). Set by the loader.</summary>
public sealed class ProgramLayout
{
    public ulong CodeStart { get; set; }
    public ulong CodeEnd { get; set; }
    public ulong DataStart { get; set; }
    public ulong DataEnd { get; set; }
    public ulong BreakStart { get; set; }
    public ulong Break { get; set; }
    public ulong StackStart { get; set; }
    public ulong ArgumentStart { get; set; }
    public ulong ArgumentEnd { get; set; }
    public ulong EnvironmentStart { get; set; }
    public ulong EnvironmentEnd { get; set; }

    /// <summary>The auxiliary vector as it was put on the stack.</summary>
    public byte[] AuxiliaryVector { get; set; } = [];

    /// <summary>A copy for fork(2).</summary>
    public ProgramLayout Clone() => (ProgramLayout)MemberwiseClone();
}
