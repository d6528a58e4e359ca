namespace Runsc.Flags;

/// <summary>What a flag's value is.</summary>
internal enum FlagKind
{
    /// <summary>true or false; the flag alone is true, and its value never is an argument of its own.</summary>
    Boolean,

    /// <summary>Any text.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Number,

    /// <summary>Text; the flag may occur more than once.</summary>
    List,
}
