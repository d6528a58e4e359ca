namespace Moat.Filesystems.Tty;

/// <summary>What an entry of an <see cref="EchoQueue"/> does.</summary>
internal enum EchoKind : byte
{
    /// <summary>A character, through output processing.</summary>
    Character,

    /// <summary>A control character as ^X.</summary>
    Control,

    /// <summary>Remembers the column as the line's first.</summary>
    SetCanonicalColumn,

    /// <summary>One column back without output.</summary>
    MoveBack,

    /// <summary>Backspaces over a tab that has so many columns before it on the line being typed.</summary>
    EraseTab,

    /// <summary>The same, with the columns counted from the tab before.</summary>
    EraseTabAfterTab,
}
